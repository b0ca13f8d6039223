import { expect } from '@jest/globals';
import { formatTime } from '../../support/fake-clock.ts';
import { trouble, wait } from './faults.ts';
import type { Kind } from './life.ts';
import { Writer } from './writer.ts';

/** A container whose node rotates its log while the server is away, and at other times. What was rotated away unread is lost, which is said with its times; the rest comes once and in order. */
export const rotated: Kind = ({ dice, server, log, nodeZone }) => {
  let writer: Writer;
  /** Number of the first line in the newest file. */
  let newest = 0;

  const time = (line: number) => formatTime(writer.lines[line]?.at ?? 0n, nodeZone);
  const told = (text: string) => log.annotations.filter(annotation => annotation.includes(text));

  return {
    live: async pod => {
      writer = new Writer(dice, server, pod);
      const rotate = () => {
        server.clock.tick(10_000); // no sooner after the last time, or the container's start
        pod.rotateLog();
        newest = writer.lines.length;
      };
      const write = (atMost: number) => {
        for (let lines = dice.upTo(atMost); lines > 0; lines--) writer.numbered();
      };
      pod.run();
      for (let outages = 1 + dice.upTo(2); outages > 0; outages--) {
        for (let lines = dice.upTo(12); lines > 0; lines--) {
          writer.numbered();
          await trouble(dice, server);
        }
        if (dice.roll() < 0.2) rotate();
        await server.refuse();
        write(5);
        rotate();
        write(5);
        await wait(dice);
        await server.accept();
        await wait(dice);
      }
      writer.numbered();
      pod.terminate();
    },
    check: conclusion => {
      expect(conclusion).toMatchObject({ state: 'succeeded', ended: { exitCode: 0 } });
      const shown = log.container.split('\n').slice(0, -1);
      const places = shown.map(line => writer.lines.findIndex(({ text }) => text === line));
      // Nothing but whole lines of the container's, in order, none twice.
      expect(shown.filter((_, index) => (places[index] ?? -1) <= (places[index - 1] ?? -1))).toEqual([]);
      expect(log.container).toMatch(/\n$/);
      const missing = writer.lines.flatMap((_, line) => (places.includes(line) ? [] : [line]));
      // Only what was rotated away can be lost.
      expect(missing.filter(line => line >= newest)).toEqual([]);
      const holes = places.flatMap((line, index) =>
        line - (places[index - 1] ?? -1) > 1 ? [[places[index - 1], line]] : [],
      );
      for (const [before, behind = 0] of holes) {
        if (before === undefined) {
          expect(told('Log may lack its beginning')).toEqual([expect.stringContaining(`at ${time(behind)},`)]);
        } else {
          const words = `between ${time(before)} and ${time(behind)} may be missing`;
          expect(told('Log lines lost')).toContainEqual(
            expect.stringMatching(new RegExp(`container base .*${words.replaceAll(/[.+]/g, '\\$&')}`)),
          );
        }
      }
      expect(log.annotations).toEqual([...told('Log may lack its beginning'), ...told('Log lines lost')]);
    },
  };
};
