import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type LaneEnd, type LaneOutput, Lanes } from '../../../src/run/logs/lanes.ts';

/** An end that can be made to wait. */
class Gate implements LaneEnd {
  ready = true;
  #open: (() => void) | undefined;

  whenReady(): Promise<void> {
    return new Promise(resolve => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.ready = true;
    this.#open?.();
  }
}

const after = () => new Promise(resolve => setImmediate(resolve));

function laneTo(out: { text: string }): LaneOutput {
  return {
    midLine: false,
    write(bytes) {
      const text = Buffer.from(bytes).toString();
      out.text += text;
      (this as { midLine: boolean }).midLine = !text.endsWith('\n');
    },
    end() {
      if (this.midLine) this.write(Buffer.from('\n'));
    },
  };
}

const bytes = (text: string) => Buffer.from(text);

describe('lanes', () => {
  test('go on at once, as they come', () => {
    const out = { text: '' };
    const lanes = new Lanes(new Gate());
    const [a, b] = [lanes.add(laneTo(out)), lanes.add(laneTo(out))];
    a.push(bytes('a1\n'));
    b.push(bytes('b1\n'));
    a.push(bytes('a2\n'));
    expect(out.text).toBe('a1\nb1\na2\n');
  });

  test('wait for the end of a line of another one’s', async () => {
    const out = { text: '' };
    const lanes = new Lanes(new Gate());
    const [a, b] = [lanes.add(laneTo(out)), lanes.add(laneTo(out))];
    a.push(bytes('a is '));
    b.push(bytes('b1\n'));
    a.push(bytes('long'));
    b.push(bytes('b2\n'));
    a.push(bytes('\n'));
    expect(out.text).toBe('a is long\nb1\nb2\n');
    a.push(bytes('never ended'));
    b.push(bytes('b3\n'));
    const ended = b.end();
    await a.end();
    await ended;
    expect(out.text).toBe('a is long\nb1\nb2\nnever ended\nb3\n');
  });

  test('take everything while the end takes nothing, and hand it on when it does', async () => {
    const [gate, out] = [new Gate(), { text: '' }];
    const lane = new Lanes(gate).add(laneTo(out));
    gate.ready = false;
    for (let line = 0; line < 3; line++) lane.push(bytes(`${line}\n`));
    expect(out.text).toBe('');
    const ended = lane.end();
    gate.open();
    await ended;
    expect(out.text).toBe('0\n1\n2\n');
  });

  test('do what is to be done when what came before has gone on', async () => {
    const [gate, out] = [new Gate(), { text: '' }];
    const lane = new Lanes(gate).add(laneTo(out));
    lane.push(bytes('a\n'));
    lane.note(() => (out.text += '<at once>'));
    gate.ready = false;
    lane.push(bytes('b'));
    lane.note(() => (out.text += '<first>'));
    lane.note(() => (out.text += '<second>'));
    lane.endRun();
    lane.push(bytes('c\n'));
    lane.note(() => (out.text += '<last>'));
    gate.open();
    await lane.end();
    expect(out.text).toBe('a\n<at once>b<first><second>\nc\n<last>');
  });

  test('bring each lane’s bytes whole and in order, and tear no line', async () => {
    const step = fc.record({
      lane: fc.nat(2),
      text: fc.array(fc.constantFrom('x', 'yy', '\n'), { maxLength: 4 }).map(parts => parts.join('')),
      gate: fc.constantFrom('open', 'close', 'as it is', 'as it is'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const [gate, out] = [new Gate(), { text: '' }];
        const lanes = new Lanes(gate);
        // Each lane's text in letters of its own.
        const all = ['A', 'B', 'C'].map(() => lanes.add(laneTo(out)));
        const written = ['', '', ''];
        for (const { lane, text, gate: turn } of steps) {
          if (turn === 'open') gate.open();
          if (turn === 'close') gate.ready = false;
          const own = text.replace(/[xy]/g, 'ABC'.charAt(lane));
          if (own !== '') all[lane]?.push(bytes(own));
          written[lane] += own;
          await after();
        }
        gate.open();
        await Promise.all(all.map(lane => lane.end()));
        expect(out.text).not.toMatch(/A[BC]|B[AC]|C[AB]/);
        for (const [index, letter] of [...'ABC'].entries()) {
          const lines = (text: string) => text.split('\n').filter(line => line.includes(letter));
          expect(lines(out.text)).toEqual(lines(written[index] ?? ''));
        }
      }),
      { numRuns: 150 },
    );
  });
});
