import { expect } from '@jest/globals';
import type { FakePod } from '../../support/fake-api-server.ts';
import { trouble, wait } from './faults.ts';
import type { Kind } from './life.ts';
import { Writer } from './writer.ts';

const TEMPLATE = `
spec:
  initContainers:
    - { name: init, image: busybox }
    - { name: side, image: busybox, restartPolicy: Always }
    - { name: second, image: busybox }
  containers:
    - { name: base }
    - { name: beside, image: busybox }
`;

/** Several containers: init containers, one beside the base container, and a native sidecar that the node ends after them. */
export const sideBySide: Kind = ({ dice, server, faults, log }) => {
  const containerLogs = dice.one([undefined, 'true', 'true', 'true', 'base, side', '[base, beside]', 'beside']);
  const initLogs = dice.one([undefined, undefined, 'true', 'false', 'second']);
  const prefixed = dice.roll() < 0.8;
  const failing = dice.roll() < 0.15;
  const besideEnds = dice.one(['before', 'before', 'after']);
  const exitCode = dice.one([0, 0, 1]);
  const shown = ['init', 'side', 'second', 'base', 'beside'].filter(name => {
    if (name === 'init') return initLogs === undefined || initLogs === 'true';
    if (name === 'second') return initLogs !== 'false';
    return containerLogs === undefined
      ? name === 'base'
      : containerLogs === 'true' || new RegExp(`\\b${name}\\b`).test(containerLogs);
  });
  const writers = new Map<string, Writer>();

  async function write(atMost: number, ...names: string[]): Promise<void> {
    for (let lines = dice.upTo(atMost); lines > 0; lines--) {
      const writer = writers.get(dice.one(names));
      // Without a prefix a line tells by itself whose it is.
      if (prefixed) writer?.any();
      else writer?.numbered();
      await trouble(dice, server);
    }
  }

  function end(pod: FakePod, container: string, code = 0): void {
    if (!faults.finalNewline && dice.roll() < 0.5) writers.get(container)?.unfinished();
    pod.terminate({ container, exitCode: code });
  }

  return {
    inputs: {
      pod_template_dict: TEMPLATE,
      ...(containerLogs !== undefined && { container_logs: containerLogs }),
      ...(initLogs !== undefined && { init_container_logs: initLogs }),
      ...(!prefixed && { container_name_log_prefix_enabled: 'false' }),
    },
    live: async pod => {
      for (const name of pod.containers) writers.set(name, new Writer(dice, server, pod, name));
      pod.logLagMs = dice.one([0, 0, 5, 40]);
      pod.run('init');
      await write(8, 'init');
      end(pod, 'init', failing ? 3 : 0);
      if (failing) return;
      await wait(dice);
      pod.run('side');
      pod.run('second');
      await write(8, 'side', 'second');
      end(pod, 'second');
      pod.run('beside');
      await wait(dice);
      pod.run('base');
      await write(16, 'side', 'base', 'beside', 'beside');
      if (besideEnds === 'before') end(pod, 'beside');
      await write(8, 'side', 'base');
      end(pod, 'base', exitCode);
      if (besideEnds === 'after') {
        await write(2, 'beside');
        end(pod, 'beside');
      }
      // As it gets the signal to end.
      await write(2, 'side');
      pod.stopSidecars();
    },
    check: conclusion => {
      // Others write first, for 10 s perhaps: of a first line that comes so late, where the stream that waited for it broke, nobody can tell that none was before it.
      const annotations = log.annotations.filter(text => !text.startsWith('Log may lack its beginning: '));
      expect({ state: conclusion.state, annotations }).toEqual({
        state: failing || exitCode !== 0 ? 'failed' : 'succeeded',
        annotations: [],
      });
      expect(conclusion.ended?.exitCode).toBe(failing ? undefined : exitCode);
      const [only] = shown;
      if (shown.length === 1 && only !== undefined) expect(log.container).toBe(writers.get(only)?.text);
      else {
        const texts = new Map(shown.map(name => [name, '']));
        for (const line of log.container.split('\n').slice(0, -1)) {
          const [, name = '', text = ''] = (prefixed ? /^\[(\w+)\] (.*)$/ : /^(?=(\w+))(.*)$/).exec(line) ?? [];
          texts.set(name, `${texts.get(name)}${text}\n`);
        }
        expect(log.container).toMatch(/^$|\n$/);
        const written = shown.map(name => [name, (writers.get(name)?.text ?? '').replace(/([^\n])$/, '$1\n')] as const);
        expect(Object.fromEntries(texts)).toEqual(Object.fromEntries(written));
      }
    },
  };
};
