import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { writeImages } from '../../dev/cluster/images.ts';
import { type TarEntry, tar } from '../../dev/cluster/tar.ts';
import { cluster } from './cluster.ts';

const execute = promisify(execFile);

const LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** Of an image, as far as it is touched. */
interface Settings {
  history: unknown;
  rootfs: { diff_ids: string[] };
}

interface Blob {
  type: string;
  content: Buffer;
}

export interface RegistryOptions {
  /** Passwords by user; without any, everybody is served. */
  passwords?: Record<string, string>;
  /** How long the image takes, which then has one layer more that no node has yet. */
  pullSeconds?: number;
}

/** Parts that a slow layer comes in. */
const PARTS = 50;

/** A registry on this machine that has the shell image, for whoever knows a password; a node that is this machine reaches it. */
export class Registry implements Disposable {
  /** Who has asked for the manifest, in order. */
  readonly askedBy: string[] = [];
  readonly #server: Server;
  readonly #options: RegistryOptions;
  readonly #blobs: Map<string, Blob>;
  readonly #manifest: Blob;

  private constructor(options: RegistryOptions, manifest: Blob, layers: Blob[]) {
    this.#options = options;
    this.#manifest = manifest;
    this.#blobs = new Map([manifest, ...layers].map(blob => [digest(blob), blob]));
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(options: RegistryOptions): Promise<Registry> {
    const archive = await writeImages(() => {});
    const file = async (name: string): Promise<Buffer> => {
      const { stdout } = await execute('tar', ['-xOf', archive, name], { encoding: 'buffer', maxBuffer: 64 << 20 });
      return stdout;
    };
    const images = JSON.parse((await file('manifest.json')).toString()) as {
      Config: string;
      RepoTags: string[];
      Layers: string[];
    }[];
    const image = images.find(({ RepoTags }) => RepoTags.includes(cluster.images.shell));
    if (image === undefined) throw new Error(`${archive} has no image ${cluster.images.shell}.`);
    // An image of another id: a node that has pulled one with credentials asks for credentials wherever it is used, under its other names too.
    const { history: _, ...settings } = JSON.parse((await file(image.Config)).toString()) as Settings;
    const ballast = options.pullSeconds === undefined ? [] : [layer(tar([randomFile()]))];
    // Of a layer that is not compressed, both digests are the same.
    settings.rootfs.diff_ids.push(...ballast.map(digest));
    const content = Buffer.from(JSON.stringify({ ...settings, author: 'the tests' }));
    const config = { type: 'application/vnd.oci.image.config.v1+json', content };
    const layers = [...(await Promise.all(image.Layers.map(async name => layer(await file(name))))), ...ballast];
    const type = 'application/vnd.oci.image.manifest.v1+json';
    const parts = { schemaVersion: 2, mediaType: type, config: described(config), layers: layers.map(described) };
    const manifest = { type, content: Buffer.from(JSON.stringify(parts)) };
    const registry = new Registry(options, manifest, [config, ...layers]);
    await new Promise<void>(resolve => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer({ url = '', method, headers }: IncomingMessage, response: ServerResponse): void {
    const credentials = Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
    const [, user = '', password] = /^(.*?):(.*)$/.exec(credentials) ?? [];
    const { passwords } = this.#options;
    if (passwords !== undefined && (password === undefined || passwords[user] !== password)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
      return;
    }
    const [, kind, reference = ''] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
    const blob = kind === 'manifests' ? this.#manifest : this.#blobs.get(reference);
    if (blob === undefined) {
      response.writeHead(url === '/v2/' ? 200 : 404).end();
      return;
    }
    if (kind === 'manifests') this.askedBy.push(user);
    response.writeHead(200, {
      'content-type': blob.type,
      'content-length': blob.content.length,
      'docker-content-digest': digest(blob),
    });
    if (method === 'HEAD') response.end();
    else if (blob.type === LAYER) void this.#trickle(blob, response);
    else response.end(blob.content);
  }

  async #trickle({ content }: Blob, response: ServerResponse): Promise<void> {
    const { pullSeconds = 0 } = this.#options;
    const size = pullSeconds === 0 ? content.length : Math.ceil(content.length / PARTS);
    for (let from = 0; from < content.length; from += size) {
      response.write(content.subarray(from, from + size));
      if (pullSeconds > 0) await sleep((1000 * pullSeconds) / PARTS);
    }
    response.end();
  }
}

function layer(content: Buffer): Blob {
  return { type: LAYER, content };
}

function randomFile(): TarEntry {
  return { name: 'ballast', kind: 'file', mode: 0o644, content: randomBytes(1 << 20) };
}

function digest({ content }: Blob): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function described(blob: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType: blob.type, digest: digest(blob), size: blob.content.length };
}
