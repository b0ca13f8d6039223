import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface GitHubReply {
  code: number;
  body: unknown;
  headers?: Record<string, string>;
}

const DOCS = 'https://docs.github.com/rest/actions/workflow-runs#get-a-workflow-run';
const error = (code: number, message: string, headers?: Record<string, string>): GitHubReply => ({
  code,
  body: { message, documentation_url: DOCS, status: String(code) },
  ...(headers && { headers }),
});

/** Answers of GitHub's REST API, as docs.github.com has them ("Get a workflow run", "Rate limits for the REST API"). */
export const github = {
  run: (id: string, status: string, updatedAt: string): GitHubReply => ({
    code: 200,
    body: {
      ...{ id: Number(id), name: 'Build', run_number: 562, run_attempt: 1, event: 'push', status },
      ...{ conclusion: status === 'completed' ? 'cancelled' : null, created_at: updatedAt, updated_at: updatedAt },
      repository: { id: 1296269, full_name: 'octo/repo' },
    },
  }),
  notFound: () => error(404, 'Not Found'),
  notAccessible: () => error(403, 'Resource not accessible by integration'),
  badCredentials: () => error(401, 'Bad credentials'),
  serverError: (code = 502) => error(code, 'Server Error'),
  /** @param reset seconds since the epoch */
  primaryLimit: (reset: number, code = 403) =>
    error(code, 'API rate limit exceeded for installation ID 1. If you reach out to GitHub Support ...', {
      ...{ 'x-ratelimit-limit': '1000', 'x-ratelimit-remaining': '0', 'x-ratelimit-used': '1000' },
      'x-ratelimit-reset': String(reset),
    }),
  secondaryLimit: (retryAfter?: number, code = 403) =>
    error(
      code,
      'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
      retryAfter === undefined ? { 'x-ratelimit-remaining': '900' } : { 'retry-after': String(retryAfter) },
    ),
};

/** The part of GitHub's REST API that tells of workflow runs. */
export class FakeGitHub implements AsyncDisposable {
  /** By id. Others are not there. */
  readonly runs = new Map<string, GitHubReply>();
  readonly asked: { url: string; authorization: string | undefined; userAgent: string | undefined }[] = [];
  /** How many were being answered at the same time, at most. */
  mostAtOnce = 0;
  /** What to answer instead; `drop` cuts the connection. */
  instead: (id: string, nth: number) => GitHubReply | 'drop' | undefined = () => undefined;
  /** Before each answer, in ms. */
  delayMs = 0;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  #open = 0;

  private constructor(tls?: { key: string; cert: string }) {
    const listener: RequestListener = (request, response) => {
      const { url = '', headers } = request;
      this.asked.push({ url, authorization: headers.authorization, userAgent: headers['user-agent'] });
      const id = /\/actions\/runs\/(\d+)(?:\?|$)/.exec(url)?.[1] ?? '';
      const reply = this.instead(id, this.asked.length) ?? this.runs.get(id) ?? github.notFound();
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#open);
      setTimeout(() => {
        this.#open--;
        if (reply === 'drop') return void request.socket.destroy();
        const type = { 'content-type': 'application/json; charset=utf-8' };
        response.writeHead(reply.code, { ...type, ...reply.headers }).end(JSON.stringify(reply.body));
      }, this.delayMs);
    };
    this.#scheme = tls ? 'https' : 'http';
    this.#server = tls ? createTlsServer(tls, listener) : createServer(listener);
  }

  /** @param ownRunId the run that asks is there, unless a test takes it away */
  static async start(ownRunId = '1658821493', tls?: { key: string; cert: string }): Promise<FakeGitHub> {
    const fake = new FakeGitHub(tls);
    fake.runs.set(ownRunId, github.run(ownRunId, 'in_progress', '2026-01-01T00:00:00Z'));
    await new Promise<void>(resolve => fake.#server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  /** GITHUB_API_URL. */
  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The ids that were asked for, in order. */
  get ids(): string[] {
    return this.asked.map(({ url }) => /\/runs\/(\d+)/.exec(url)?.[1] ?? url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
