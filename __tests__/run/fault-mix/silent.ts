import { expect } from '@jest/globals';
import { type Kind, until } from './life.ts';
import { Writer } from './writer.ts';

/** Streams fall silent while their connections stay open, as through a proxy that has lost its other end. The log goes on all the same while the container runs, and its end is seen. */
export const silent: Kind = ({ dice, server, faults, log }) => {
  faults.off = true;
  const exitCode = dice.one([0, 1]);
  let writer: Writer;
  return {
    live: async pod => {
      writer = new Writer(dice, server, pod);
      await server.request({ verb: 'watch' });
      pod.run();
      writer.any();
      await until(() => log.container === writer.text, 'the first line');
      for (let silences = 1 + dice.upTo(1); silences > 0; silences--) {
        const [logs, watches] = [server.matching({ verb: 'log' }).length, server.matching({ verb: 'watch' }).length];
        server.muteStreams(dice.one([{ verb: 'log' }, {}] as const));
        for (let lines = 1 + dice.upTo(9); lines > 0; lines--) writer.any();
        await until(() => log.container === writer.text, 'what was written into the silence');
        expect(server.matching({ verb: 'log', query: { tailLines: '1' } })).not.toEqual([]);
        expect(server.matching({ verb: 'log' }).length).toBeGreaterThan(logs);
        // Bookmarks do not come: it is opened anew.
        server.muteStreams({ verb: 'watch' });
        await server.request({ verb: 'watch' }, watches + 1);
      }
      if (dice.roll() < 0.5) server.muteStreams();
      writer.any();
      if (!faults.finalNewline) writer.unfinished();
      pod.terminate({ exitCode });
    },
    check: conclusion => {
      expect({ ...conclusion, text: log.container, annotations: log.annotations }).toMatchObject({
        state: exitCode === 0 ? 'succeeded' : 'failed',
        ended: { exitCode },
        text: writer.text,
        annotations: [],
      });
    },
  };
};
