import { expect } from '@jest/globals';
import type { FakePod } from '../../support/fake-api-server.ts';
import { restartMark } from './captured-log.ts';
import { trouble, wait } from './faults.ts';
import { type Kind, until } from './life.ts';
import { Writer } from './writer.ts';

/** A container that fails and is started again (restartPolicy OnFailure), once or twice. */
export const restarted: Kind = ({ dice, server, faults, log }) => {
  const restarts = 1 + dice.upTo(1);
  let expected = '';

  async function write(pod: FakePod, atMost: number): Promise<void> {
    const writer = new Writer(dice, server, pod);
    for (let lines = dice.upTo(atMost); lines > 0; lines--) {
      writer.any();
      await trouble(dice, server);
    }
    if (!faults.finalNewline && dice.roll() < 0.5) writer.unfinished();
    expected += writer.text;
  }

  async function restart(pod: FakePod): Promise<void> {
    // No two runs write at the same time.
    server.clock.tick(1);
    const how = dice.one(['at once', 'seen to end', 'backing off', 'late']);
    // Before anything of a run's log has been read, nothing tells that it is another's.
    const unread = log.container === '' || log.container.endsWith(restartMark(log.restarts));
    switch (how === 'late' && unread ? 'at once' : how) {
      case 'at once':
        pod.restart();
        break;
      case 'seen to end':
        pod.terminate({ exitCode: 1 });
        await wait(dice);
        pod.restart();
        break;
      case 'backing off':
        if (dice.roll() < 0.5) pod.terminate({ exitCode: 137 });
        await wait(dice);
        pod.backOff();
        await trouble(dice, server);
        pod.restart();
        break;
      default:
        // The node has started it and serves its log before the pod's status says so.
        pod.restart('base', { unreported: true });
    }
  }

  return {
    inputs: { pod_template_dict: 'spec: { restartPolicy: OnFailure }' },
    live: async pod => {
      pod.logLagMs = dice.one([0, 0, 5, 40]);
      pod.run();
      await write(pod, 12);
      for (let nth = 1; nth <= restarts; nth++) {
        await restart(pod);
        if (expected !== '' && !expected.endsWith('\n')) expected += '\n';
        expected += restartMark(nth);
        await write(pod, 12);
        pod.report();
        // The node keeps two runs' logs: a third is not begun before the first has been read.
        await until(() => log.restarts === nth, `restart ${nth} to be told`);
      }
      pod.terminate();
    },
    check: conclusion => {
      expect({ ...conclusion, text: log.container, annotations: log.annotations }).toMatchObject({
        state: 'succeeded',
        ended: { exitCode: 0 },
        text: expected,
        annotations: [],
      });
    },
  };
};
