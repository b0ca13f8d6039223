import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a commit is to have: files by path, and other repositories of octo as submodules, at their address by path. */
export interface Content {
  files?: Record<string, string>;
  submodules?: Record<string, string>;
}

/** Repositories over HTTP, for whoever has the token of a job, as GitHub has them; all but those named `public/…` are private. */
export class GitServer implements Disposable {
  /** Who has asked for what: `octo/repo x-access-token:…`, or without a user. */
  readonly requests: string[] = [];
  /** So many requests are answered 500 before anything is. */
  broken = 0;
  readonly #root = mkdtempSync(join(tmpdir(), 'git-server-'));
  readonly #server: Server;
  readonly #token: string;
  #address = '';

  private constructor(token: string) {
    this.#token = token;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  /** @param host the address that whoever fetches knows this machine by */
  static async start(host: string, token: string): Promise<GitServer> {
    const server = new GitServer(token);
    await new Promise<void>(resolve => void server.#server.listen(0, host, resolve));
    server.#address = `http://${host}:${(server.#server.address() as AddressInfo).port}`;
    return server;
  }

  get url(): string {
    return this.#address;
  }

  /** Adds a commit to a repository, which is made if need be. @returns the commit */
  commit(repository: string, { files = {}, submodules = {} }: Content): string {
    const work = join(this.#root, 'work', repository);
    const bare = join(this.#root, 'bare', repository);
    mkdirSync(work, { recursive: true });
    const git = (args: string[], cwd = work) =>
      execFileSync('git', args, { cwd, encoding: 'utf8', env: { ...process.env, ...IDENTITY } }).trim();
    git(['-c', 'init.defaultBranch=main', 'init', '-q']);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      writeFileSync(join(work, path), content);
    }
    git(['add', '-A']);
    const modules = Object.entries(submodules).map(([path, url]) => {
      const [, name = ''] = /([^/:]+)$/.exec(url) ?? [];
      const other = join(this.#root, 'bare', 'octo', name);
      git(['update-index', '--add', '--cacheinfo', `160000,${git(['rev-parse', 'main'], other)},${path}`]);
      return `[submodule "${path}"]\n\tpath = ${path}\n\turl = ${url}\n`;
    });
    if (modules.length > 0) {
      writeFileSync(join(work, '.gitmodules'), modules.join(''));
      git(['add', '.gitmodules']);
    }
    git(['commit', '-q', '--allow-empty', '-m', `commit of ${repository}`]);
    mkdirSync(bare, { recursive: true });
    git(['-c', 'init.defaultBranch=main', 'init', '-q', '--bare'], bare);
    git(['push', '-q', bare, 'main']);
    return git(['rev-parse', 'HEAD']);
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, search } = new URL(request.url ?? '/', this.#address);
    const user = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
    const [, repository = ''] = /^\/([^/]+\/[^/]+)/.exec(pathname) ?? [];
    this.requests.push(`${repository} ${user}`);
    if (this.broken > 0) {
      this.broken--;
      response.writeHead(500).end();
    } else if (!repository.startsWith('public/') && user !== `x-access-token:${this.#token}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="GitHub"' }).end('Bad credentials');
    } else this.#serve(request, response, { pathname, search });
  }

  /** By the CGI program that git has for it. */
  #serve(request: IncomingMessage, response: ServerResponse, { pathname, search }: Pick<URL, 'pathname' | 'search'>) {
    const header = (name: string) => String(request.headers[name] ?? '');
    const program = spawn('git', ['http-backend'], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: join(this.#root, 'bare'),
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_PROTOCOL: header('git-protocol'),
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: header('content-type'),
        HTTP_CONTENT_ENCODING: header('content-encoding'),
      },
    });
    request.pipe(program.stdin);
    program.stdin.on('error', () => {});
    const said: Buffer[] = [];
    program.stdout.on('data', bytes => void said.push(bytes));
    program.on('close', () => {
      const all = Buffer.concat(said);
      const end = all.indexOf('\r\n\r\n');
      const headers = all
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map(line => line.split(/: (.*)/s) as [string, string]);
      const { Status: status = '200', ...others } = Object.fromEntries(headers);
      response.writeHead(Number.parseInt(status, 10), others).end(all.subarray(end + 4));
    });
  }
}

const IDENTITY = {
  ...{ GIT_AUTHOR_NAME: 'Octo', GIT_AUTHOR_EMAIL: 'octo@example.com', GIT_AUTHOR_DATE: '2026-11-01T12:00:00Z' },
  ...{ GIT_COMMITTER_NAME: 'Octo', GIT_COMMITTER_EMAIL: 'octo@example.com' },
  ...{ GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
};
