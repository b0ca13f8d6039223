import type { JsonObject } from '../../src/pod/json.ts';

const container = { name: 'base', image: 'busybox' };
const withBase = (fields: JsonObject): JsonObject => ({ spec: { containers: [{ ...container, ...fields }] } });
const withSpec = (fields: JsonObject): JsonObject => ({ spec: { containers: [container], ...fields } });
const withMetadata = (fields: JsonObject): JsonObject => ({ metadata: fields, ...withBase({}) });
const withMount = (fields: JsonObject): JsonObject => ({
  spec: {
    containers: [{ ...container, volumeMounts: [{ name: 'data', mountPath: '/data', ...fields }] }],
    volumes: [{ name: 'data', emptyDir: {} }],
  },
});
const long = 'x'.repeat(100);
const NAME = 'lower-case letters, digits and dashes, at most 63, neither first nor last a dash.';
const DOTTED_NAME = 'lower-case letters, digits, dashes and dots, at most 253, first and last a letter or digit.';
const KEY =
  'at most 63 letters, digits, dashes, underscores and dots, first and last a letter or digit; before it there may be a domain and a slash.';
const VALUE =
  'at most 63 letters, digits, dashes, underscores and dots, first and last a letter or digit. Longer or other text can be an annotation.';

/** Each row: what is wrong, the pod, and what is said of it. */
export const brokenPods: [what: string, pod: JsonObject, ...problems: string[]][] = [
  // What Kubernetes requires.
  [
    'a variable without a name',
    withBase({ env: [{ value: 'x' }] }),
    'spec.containers[0].env[0]: has no name, which Kubernetes requires.',
  ],
  [
    'a name that is empty',
    withSpec({ tolerations: [], resourceClaims: [{ name: '' }] }),
    'spec.resourceClaims[0]: has no name, which Kubernetes requires.',
  ],
  [
    'a mount without a path',
    withSpec({ volumes: [{ name: 'data' }], containers: [{ ...container, volumeMounts: [{ name: 'data' }] }] }),
    'spec.containers[0].volumeMounts[0]: has no mountPath, which Kubernetes requires.',
  ],
  [
    'a claim without its name',
    withSpec({ volumes: [{ name: 'a', persistentVolumeClaim: {} }] }),
    'spec.volumes[0].persistentVolumeClaim: has no claimName, which Kubernetes requires.',
  ],
  [
    'a key that is not named',
    withBase({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }] }),
    'spec.containers[0].env[0].valueFrom.secretKeyRef: has no key, which Kubernetes requires.',
  ],
  [
    'a probe without a port',
    withBase({ livenessProbe: { httpGet: { path: '/' } } }),
    'spec.containers[0].livenessProbe.httpGet: has no port, which Kubernetes requires.',
  ],
  [
    'a container without a name',
    withSpec({ containers: [{ image: 'a' }] }),
    'spec.containers[0]: has no name, which Kubernetes requires.',
  ],
  [
    'a term deep in an affinity',
    withSpec({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{}] } } }),
    'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]: has no topologyKey, which Kubernetes requires.',
  ],
  // What there may be one of.
  [
    'two sources of a volume',
    withSpec({ volumes: [{ name: 'a', emptyDir: {}, hostPath: { path: '/' } }] }),
    'spec.volumes[0]: has emptyDir and hostPath, of which Kubernetes takes one. Keep one of them.',
  ],
  [
    'a value and its source',
    withBase({ env: [{ name: 'A', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    'spec.containers[0].env[0]: has value and valueFrom, of which Kubernetes takes one. Keep one of them.',
  ],
  [
    'two handlers of a probe',
    withBase({ livenessProbe: { exec: {}, tcpSocket: { port: 1 } } }),
    'spec.containers[0].livenessProbe: has exec and tcpSocket, of which Kubernetes takes one. Keep one of them.',
  ],
  // Labels, annotations, namespace.
  [
    'the value of a label',
    withMetadata({ labels: { a: 'x y' } }),
    `metadata.labels.a: "x y" cannot be the value of a label: ${VALUE}`,
  ],
  [
    'a long value of a label',
    withMetadata({ labels: { a: long } }),
    `metadata.labels.a: "${'x'.repeat(80)}..." cannot be the value of a label: ${VALUE}`,
  ],
  [
    'the key of a label',
    withMetadata({ labels: { 'a b': 'x' } }),
    `metadata.labels[a b]: "a b" cannot be the key of a label: ${KEY}`,
  ],
  [
    'the empty key of a label',
    withMetadata({ labels: { '': 'x' } }),
    `metadata.labels[]: "" cannot be the key of a label: ${KEY}`,
  ],
  [
    'the domain of a label',
    withMetadata({ labels: { 'A.io/b': 'x' } }),
    `metadata.labels[A.io/b]: "A.io/b" cannot be the key of a label: ${KEY}`,
  ],
  [
    'two slashes',
    withMetadata({ labels: { 'a/b/c': 'x' } }),
    `metadata.labels[a/b/c]: "a/b/c" cannot be the key of a label: ${KEY}`,
  ],
  [
    'the key of an annotation',
    withMetadata({ annotations: { 'a b': 'x' } }),
    `metadata.annotations[a b]: "a b" cannot be the key of an annotation: ${KEY}`,
  ],
  [
    'annotations that are too large',
    withMetadata({ annotations: { a: 'é'.repeat(131072) } }),
    'metadata.annotations: hold 262145 bytes together; Kubernetes takes 262144.',
  ],
  [
    'a namespace',
    withMetadata({ namespace: 'My_Team' }),
    `metadata.namespace: "My_Team" cannot be a namespace: ${NAME}`,
  ],
  // Names.
  [
    'the name of a container',
    withSpec({ containers: [container, { name: 'my_proxy', image: 'a' }] }),
    `spec.containers[1].name: "my_proxy" is no valid name: ${NAME}`,
  ],
  [
    'two containers of one name',
    withSpec({ containers: [container, container] }),
    'spec.containers[1].name: "base" is the name of another container too.',
  ],
  [
    'an init container of the same name',
    withSpec({ initContainers: [container] }),
    'spec.initContainers[0].name: "base" is the name of another container too.',
  ],
  [
    'the name of a volume',
    withSpec({ volumes: [{ name: 'my.data' }] }),
    `spec.volumes[0].name: "my.data" is no valid name: ${NAME}`,
  ],
  [
    'a service account',
    withSpec({ serviceAccountName: 'My Account' }),
    `spec.serviceAccountName: "My Account" is no valid name: ${DOTTED_NAME}`,
  ],
  [
    'a priority class',
    withSpec({ priorityClassName: 'High' }),
    `spec.priorityClassName: "High" is no valid name: ${DOTTED_NAME}`,
  ],
  [
    'a runtime class',
    withSpec({ runtimeClassName: 'g/visor' }),
    `spec.runtimeClassName: "g/visor" is no valid name: ${DOTTED_NAME}`,
  ],
  ['a host name', withSpec({ hostname: 'worker_1' }), `spec.hostname: "worker_1" is no valid name: ${NAME}`],
  ['a subdomain', withSpec({ subdomain: 'a.b' }), `spec.subdomain: "a.b" is no valid name: ${NAME}`],
  [
    'a pull secret',
    withSpec({ imagePullSecrets: [{ name: 'My_Secret' }] }),
    `spec.imagePullSecrets[0].name: "My_Secret" is no valid name: ${DOTTED_NAME}`,
  ],
  // The container.
  [
    'no image of a sidecar',
    withSpec({ containers: [container, { name: 'proxy' }] }),
    'spec.containers[1]: has no image. The input `image` is that of the base container alone.',
  ],
  [
    'white space in an image',
    withBase({ image: 'busybox 1' }),
    'spec.containers[0].image: "busybox 1" is no image: it holds white space.',
  ],
  [
    'a folder to work in',
    withBase({ workingDir: 'app' }),
    'spec.containers[0].workingDir: expected an absolute path, found "app".',
  ],
  [
    'a = in the name of a variable',
    withBase({ env: [{ name: 'A=B' }] }),
    'spec.containers[0].env[0].name: "A=B" cannot be the name of a variable: it must not hold a =.',
  ],
  [
    'a port that is none',
    withBase({ ports: [{ containerPort: 70000 }] }),
    'spec.containers[0].ports[0].containerPort: 70000 is no port: from 1 to 65535.',
  ],
  [
    'port 0',
    withBase({ ports: [{ containerPort: 0 }] }),
    'spec.containers[0].ports[0].containerPort: 0 is no port: from 1 to 65535.',
  ],
  [
    'a port of the host',
    withBase({ ports: [{ containerPort: 80, hostPort: -1 }] }),
    'spec.containers[0].ports[0].hostPort: -1 is no port: from 1 to 65535.',
  ],
  // Mounts.
  [
    'a volume that is not there',
    withBase({ volumeMounts: [{ name: 'data', mountPath: '/a' }] }),
    'spec.containers[0].volumeMounts[0].name: there is no volume "data". The pod has no volumes: add it to `volumes`.',
  ],
  [
    'a volume that is mistyped',
    withMount({ name: 'date' }),
    'spec.containers[0].volumeMounts[0].name: there is no volume "date". Did you mean data?',
  ],
  [
    'a volume among others',
    withMount({ name: 'scratch' }),
    'spec.containers[0].volumeMounts[0].name: there is no volume "scratch". There is data.',
  ],
  [
    'a mount of an init container',
    withSpec({ initContainers: [{ name: 'a', image: 'a', volumeMounts: [{ name: 'data', mountPath: '/a' }] }] }),
    'spec.initContainers[0].volumeMounts[0].name: there is no volume "data". The pod has no volumes: add it to `volumes`.',
  ],
  [
    'a relative path',
    withMount({ mountPath: 'data' }),
    'spec.containers[0].volumeMounts[0].mountPath: expected an absolute path, found "data".',
  ],
  [
    'an absolute subPath',
    withMount({ subPath: '/a' }),
    'spec.containers[0].volumeMounts[0].subPath: expected a relative path without "..", found "/a".',
  ],
  [
    'a subPath that leads out',
    withMount({ subPath: 'a/../b' }),
    'spec.containers[0].volumeMounts[0].subPath: expected a relative path without "..", found "a/../b".',
  ],
  // Resources.
  [
    'a quantity',
    withBase({ resources: { limits: { memory: '1 GB' } } }),
    'spec.containers[0].resources.limits.memory: expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found "1 GB".',
  ],
  [
    'the suffix of a quantity',
    withBase({ resources: { requests: { memory: '512mb' } } }),
    'spec.containers[0].resources.requests.memory: expected a quantity, e.g. 500m, 0.5, 512Mi or 1Gi; found "512mb".',
  ],
  [
    'a negative quantity',
    withBase({ resources: { limits: { 'nvidia.com/gpu': '-1' } } }),
    'spec.containers[0].resources.limits[nvidia.com/gpu]: -1 is negative.',
  ],
  [
    'more asked for than allowed',
    withBase({ resources: { requests: { memory: '1Gi' }, limits: { memory: '1G' } } }),
    'spec.containers[0].resources.requests.memory: 1Gi is more than the limit of 1G.',
  ],
  [
    'just more than allowed',
    withBase({ resources: { requests: { cpu: '701m' }, limits: { cpu: 0.7 } } }),
    'spec.containers[0].resources.requests.cpu: 701m is more than the limit of 0.7.',
  ],
  // All at once.
  [
    'several at once',
    {
      metadata: { labels: { a: '-' } },
      spec: { containers: [{ name: 'base', image: 'a b', ports: [{}] }], volumes: [{ name: 'A' }] },
    },
    'spec.containers[0].ports[0]: has no containerPort, which Kubernetes requires.',
    `metadata.labels.a: "-" cannot be the value of a label: ${VALUE}`,
    `spec.volumes[0].name: "A" is no valid name: ${NAME}`,
    'spec.containers[0].image: "a b" is no image: it holds white space.',
  ],
];
