import { expect } from '@jest/globals';
import { trouble, wait } from './faults.ts';
import type { Kind } from './life.ts';
import { Writer } from './writer.ts';

/** One container, that writes lines of all kinds and ends by itself. */
export const single: Kind = ({ dice, server, faults, log }) => {
  const exitCode = dice.one([0, 0, 1, 137]);
  const result = dice.roll() < 0.5 ? `{"n":${dice.upTo(99)}}` : undefined;
  let writer: Writer;
  return {
    live: async pod => {
      writer = new Writer(dice, server, pod);
      pod.logLagMs = dice.one([0, 0, 5, 40]);
      if (dice.roll() < 0.3) pod.unschedulable();
      await wait(dice);
      pod.schedule();
      await wait(dice);
      pod.run();
      for (let lines = dice.upTo(40); lines > 0; lines--) {
        writer.any();
        await trouble(dice, server);
      }
      if (!faults.finalNewline) writer.unfinished();
      pod.finish({ exitCode, ...(result !== undefined && { message: result }) });
    },
    check: conclusion => {
      expect({ ...conclusion, text: log.container, annotations: log.annotations }).toMatchObject({
        state: exitCode === 0 ? 'succeeded' : 'failed',
        ended: { exitCode },
        text: writer.text,
        annotations: [],
      });
      expect(conclusion.result?.text).toBe(result);
    },
  };
};
