import { request } from 'undici';
import { StepError } from '../../github/failure.ts';
import { dispatcherThrough } from '../dispatcher.ts';
import { pause } from '../pause.ts';
import { proxyFor } from '../proxy.ts';
import type { Credential, CredentialSource } from './credential.ts';
import { claimsOf } from './jwt.ts';

/** The claims that rules are mostly made of. */
const TOLD = ['iss', 'aud', 'repository', 'repository_id', 'repository_owner_id', 'ref', 'environment', 'event_name'];
const DEADLINE_MS = 15_000;
/** How often it is asked, where it does not answer or has trouble of its own, and after how long again; longer each time. */
const TRIES = 4;
const PAUSE_MS = 500;
/** GitHub's own time for an ID token, where it does not say. */
const LIFE_MS = 5 * 60_000;

/**
 * The job's own identity: an ID token of GitHub's, that says which repository, ref, environment and event the job is of (OpenID Connect).
 *
 * `@actions/core` is not asked for it: it prints the mask of the token with a command of its own, under our fence [measured].
 */
export class GitHubIdentity implements CredentialSource {
  readonly #audience: string;
  readonly #url: string;
  readonly #proxy: URL | undefined;
  readonly #token: string;

  /**
   * @param audience for whom the token vouches
   * @throws Error with half a sentence, where the job may have none
   */
  constructor(audience: string, env: NodeJS.ProcessEnv) {
    const [url, token] = [env['ACTIONS_ID_TOKEN_REQUEST_URL'], env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']];
    if (!url || !token || !URL.canParse(url))
      throw new Error('the job may ask GitHub for no ID token: it needs `permissions: id-token: write`');
    this.#audience = audience;
    this.#proxy = proxyFor(new URL(url), env);
    this.#url = url;
    this.#token = token;
  }

  async obtain(): Promise<Credential> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#ask();
      } catch (error) {
        if (tries >= TRIES || !(error instanceof PassingFault)) throw error;
        await pause(PAUSE_MS * tries);
      }
    }
  }

  async #ask(): Promise<Credential> {
    const url = new URL(this.#url);
    url.searchParams.set('audience', this.#audience);
    const asked = Date.now();
    // Asked every few minutes at most: no connection is worth keeping.
    const dispatcher = dispatcherThrough(this.#proxy, { timeout: DEADLINE_MS });
    const answer = await request(url, {
      dispatcher,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/json',
        'user-agent': 'kubernetes-pod-step',
      },
      headersTimeout: DEADLINE_MS,
      bodyTimeout: DEADLINE_MS,
    }).catch(error => {
      void dispatcher.close();
      throw new PassingFault(`GitHub’s ID token service at ${url.host} does not answer: ${(error as Error).message}`);
    });
    // Nothing of the answer is quoted: it may be the token.
    const body = await answer.body.json().catch(() => undefined);
    void dispatcher.close();
    if (answer.statusCode !== 200) {
      const Fault = answer.statusCode >= 500 || answer.statusCode === 429 ? PassingFault : Error;
      throw new Fault(`GitHub’s ID token service at ${url.host} answers with HTTP ${answer.statusCode}`);
    }
    const token = (body as { value?: unknown } | undefined)?.value;
    if (typeof token !== 'string' || token === '')
      throw new Error(`GitHub’s ID token service at ${url.host} answers with no token`);
    const { exp } = claimsOf(token);
    return { token, expiresAt: typeof exp === 'number' ? 1000 * exp : asked + LIFE_MS };
  }

  /** The server says no more than 401: the rules that it has are to be held against what it was told. */
  refusal({ token = '' }: Credential): StepError {
    const claims = claimsOf(token);
    const told = TOLD.flatMap(name => (claims[name] === undefined ? [] : [`${name} ${JSON.stringify(claims[name])}`]));
    return new StepError(
      'Unauthorized',
      'The cluster does not trust this job',
      `The API server does not accept the job’s identity (401 Unauthorized): it does not trust its issuer, not for this audience, or its rules do not allow it. It was told: ${told.join(', ')}.`,
      {
        remedy:
          'Hold that against the API server’s AuthenticationConfiguration (docs/keyless.md); its log says which rule it was.',
      },
    );
  }
}

/** One that may pass. */
class PassingFault extends Error {}
