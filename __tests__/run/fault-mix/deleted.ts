import { expect } from '@jest/globals';
import { trouble, wait } from './faults.ts';
import { type Kind, until } from './life.ts';
import { Writer } from './writer.ts';

/** A pod that somebody deletes while it writes. With it goes its log: what was not read in time is lost, and that is said. */
export const deleted: Kind = ({ dice, server, faults, log }) => {
  /** The log is followed at the time, without a fault. */
  const followed = dice.roll() < 0.5;
  let writer: Writer;

  async function follow(): Promise<void> {
    faults.off = true;
    const before = server.matching({ verb: 'log' }).length;
    server.cutStreams({ verb: 'log' });
    const stream = await server.request({ verb: 'log' }, before + 1);
    await until(() => stream.code === 200, 'the log to be followed');
  }

  return {
    live: async pod => {
      writer = new Writer(dice, server, pod);
      // One that is gone before the answer to its create has come is created anew.
      await server.request({ verb: 'watch' });
      pod.run();
      for (let lines = dice.upTo(20); lines > 0; lines--) {
        writer.any();
        await trouble(dice, server);
      }
      if (followed) await follow();
      writer.any();
      pod.onDelete = async () => {
        await wait(dice);
        writer.any();
        if (!faults.finalNewline) writer.unfinished();
        await wait(dice);
        pod.stop(dice.one([143, 137, 0]));
      };
      const gone = server.gone(pod);
      switch (dice.one(['by hand', 'disrupted', 'at once'])) {
        case 'by hand':
          pod.delete();
          break;
        case 'disrupted':
          pod.disrupt(dice.one(['EvictionByEvictionAPI', 'PreemptionByScheduler', 'DeletionByTaintManager']));
          break;
        default:
          pod.delete(0);
      }
      await gone;
    },
    check: ({ state, reason }) => {
      expect({ state, reason }).toEqual({
        state: 'failed',
        reason: expect.stringMatching(/^(PodDeleted|Evicted|Preempted|Disrupted)$/),
      });
      const said = log.annotations.filter(annotation => annotation.startsWith('Log may be incomplete: '));
      expect(log.annotations).toEqual(said);
      // What is left of a character that broke off in its middle shows as U+FFFD.
      const whole = log.container.replace(/\ufffd$/, '');
      expect(writer.text.slice(0, whole.length)).toBe(whole);
      // One that was gone before it was seen to run has no log that anybody knew of.
      const known = server.matching({ verb: 'log' }).length > 0;
      // A clean end in the very moment of the deletion cannot be told from the log's.
      const misled = server.matching({ verb: 'log', query: { follow: 'true' } }).at(-1)?.endedEarly;
      if (followed || (known && !misled && said.length === 0)) expect(log.container).toBe(writer.text);
    },
  };
};
