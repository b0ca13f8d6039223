import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Credential, RenewedCredential } from '../../../src/kubernetes/credentials/credential.ts';

/** In milliseconds; it moves when a test moves it. */
let now: number;
let obtained: number;
/** How long a credential lasts; `undefined`: it does not say. */
let lifeMs: number | undefined;
let fault: Error | undefined;
let renewed: RenewedCredential;

beforeEach(() => {
  [now, obtained, lifeMs, fault] = [1_000_000, 0, 600_000, undefined];
  const source = {
    obtain: async (): Promise<Credential> => {
      if (fault) throw fault;
      obtained++;
      return { token: `token ${obtained}`, ...(lifeMs !== undefined && { expiresAt: now + lifeMs }) };
    },
  };
  renewed = new RenewedCredential(source, () => now);
});

const token = async () => (await renewed.get()).token;

test('is obtained when it is first asked for, and kept', async () => {
  expect(obtained).toBe(0);
  expect([await token(), await token()]).toEqual(['token 1', 'token 1']);
});

test('is obtained once for all who ask at once', async () => {
  expect(await Promise.all([token(), token(), token()])).toEqual(['token 1', 'token 1', 'token 1']);
  expect(obtained).toBe(1);
});

test.each<[what: string, lifeMs: number | undefined, laterMs: number, expected: string]>([
  ['a long one is kept until a minute before its end', 600_000, 539_999, 'token 1'],
  ['a long one is renewed a minute before its end', 600_000, 540_000, 'token 2'],
  ['a short one is kept for three quarters of its life', 20_000, 14_999, 'token 1'],
  ['a short one is renewed a quarter of its life before its end', 20_000, 15_000, 'token 2'],
  ['one that is over already is kept for a second', -1000, 999, 'token 1'],
  ['one that is over already is kept no longer', -1000, 1000, 'token 2'],
  ['one that does not say is kept for ever', undefined, 1e12, 'token 1'],
])('%s', async (_, life, laterMs, expected) => {
  lifeMs = life;
  await token();
  now += laterMs;
  expect(await token()).toBe(expected);
});

describe('where it cannot be renewed', () => {
  beforeEach(async () => {
    await token();
    fault = new Error('the issuer is down');
  });

  test('the old one is used as long as it lasts, and each time it is tried anew', async () => {
    now += 550_000;
    expect(await token()).toBe('token 1');
    fault = undefined;
    expect(await token()).toBe('token 2');
  });

  test('there is none after its end', async () => {
    now += 600_000;
    await expect(token()).rejects.toThrow('the issuer is down');
  });

  test('there is none once the server has refused it', async () => {
    renewed.refuse(await renewed.get());
    await expect(token()).rejects.toThrow('the issuer is down');
  });
});

test('a renewal that hangs holds nobody up while the old one lasts', async () => {
  let hang = false;
  const source = {
    obtain: (): Promise<Credential> =>
      hang ? new Promise(() => {}) : Promise.resolve({ token: 'old', expiresAt: now + 20_000 }),
  };
  const slow = new RenewedCredential(source, () => now);
  await slow.get();
  hang = true;
  now += 19_900;
  const since = performance.now();
  expect(await slow.get()).toMatchObject({ token: 'old' });
  expect(performance.now() - since).toBeLessThan(1000);
});

test('the first has to be there', async () => {
  fault = new Error('no such program');
  await expect(token()).rejects.toThrow('no such program');
  fault = undefined;
  expect(await token()).toBe('token 1');
});

test('whoever waits no longer leaves the others their wait', async () => {
  const stop = new AbortController();
  const [left, stayed] = [renewed.get(stop.signal), renewed.get()];
  stop.abort(new Error('cancelled'));
  await expect(left).rejects.toThrow('cancelled');
  expect((await stayed).token).toBe('token 1');
  await expect(renewed.get(stop.signal)).resolves.toEqual(await stayed);
});

test('a failure that nobody waits for is no accident', async () => {
  fault = new Error('the issuer is down');
  const accidents: unknown[] = [];
  const note = (reason: unknown) => void accidents.push(reason);
  process.on('unhandledRejection', note);
  try {
    await expect(renewed.get(AbortSignal.abort(new Error('cancelled')))).rejects.toThrow('cancelled');
    await new Promise(resolve => setImmediate(resolve));
    expect(accidents).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});

describe('one that the server has refused', () => {
  test('gives way to another, once for all who were refused', async () => {
    const first = await renewed.get();
    renewed.refuse(first);
    const second = await renewed.get();
    renewed.refuse(first);
    expect([await renewed.get(), obtained]).toEqual([second, 2]);
  });
});
