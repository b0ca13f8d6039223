import { expect, test } from '@jest/globals';
import { isMapping } from '../../../src/github/inputs/reader.ts';
import { conformPod } from '../../../src/pod/inputs/pod-inputs.ts';
import { renderTemplate } from '../../../src/pod/template/render.ts';

/** Kubernetes replaces `$(NAME)` in some fields, by the value of a Secret perhaps; `$$` is a `$` there. */
test("a value's dollar signs arrive as they are, wherever Kubernetes would replace something", () => {
  const template = `
metadata: {labels: {a: x}, annotations: {b: "{{ v }}"}}
spec:
  containers:
    - name: base
      command: [sh, -c, "{{ v }}", "$(OWN)"]
      args: ["a {{ v }}", $(OWN)]
      env: [{name: A, value: "{{ v }}"}, {name: B, value: $(OWN)}]
      volumeMounts: [{name: d, mountPath: /d, subPathExpr: "{{ v }}"}]
      livenessProbe: {exec: {command: ["{{ v }}"]}}
  newField: {deep: ["{{ v }}"]}
`;
  const { documents, problems } = renderTemplate(template, 'pod.yaml', { v: 'fix/$(DB_PASSWORD)$' });
  expect(problems).toEqual([]);
  const [document = ''] = documents;
  expect(isMapping(document)).toBe(true);
  const [plain, doubled] = ['fix/$(DB_PASSWORD)$', 'fix/$$(DB_PASSWORD)$$'];
  expect(conformPod(document, false, () => {})).toEqual({
    metadata: { labels: { a: 'x' }, annotations: { b: plain } },
    spec: {
      containers: [
        {
          name: 'base',
          command: ['sh', '-c', doubled, '$(OWN)'],
          args: [`a ${doubled}`, '$(OWN)'],
          env: [
            { name: 'A', value: doubled },
            { name: 'B', value: '$(OWN)' },
          ],
          volumeMounts: [{ name: 'd', mountPath: '/d', subPathExpr: doubled }],
          livenessProbe: { exec: { command: [plain] } },
        },
      ],
      newField: { deep: [plain] },
    },
  });
});
