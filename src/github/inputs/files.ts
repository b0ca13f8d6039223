import { posix } from 'node:path';
import { defined } from '../defined.ts';
import { Patterns, parsePatterns } from '../workspace/patterns.ts';
import type { InputReader } from './reader.ts';

/** What the pod's workspace begins with. */
export type WorkspaceSource = 'upload' | 'checkout' | 'empty';

const SOURCES = ['none', 'upload', 'checkout'] as const;

/** Which files go into the pod, and which come out of it. */
export interface FilesInputs {
  /** The pod's workspace, if it has one. */
  workspace?: { source: WorkspaceSource; path: string };
  /** What of the job's workspace is not uploaded, in gitignore's syntax. */
  exclude?: string;
  checkout?: CheckoutInputs;
  download?: { patterns: Patterns; limitBytes: number };
  /** Of the containers that move files, and that send a result. */
  helperImage: string;
}

/** What is checked out. */
export interface CheckoutInputs {
  /** The server's address, without a slash at its end. */
  server: string;
  /** `owner/name`. */
  repository: string;
  commit: string;
  /** The job's; without one only what is public can be had. */
  token?: string;
  submodules: 'none' | 'direct' | 'recursive';
  lfs: boolean;
  image: string;
}

/** Small, well known, and of a registry whose limits on anonymous pulls are far above Docker Hub's. */
const DEFAULT_HELPER_IMAGE = 'public.ecr.aws/docker/library/busybox:1.37';
/** With git and git-lfs, of its own project. */
const DEFAULT_GIT_IMAGE = 'docker.io/alpine/git:v2.49.1';
/** As of a job's container (runner, ContainerOperationProvider). */
const DEFAULT_PATH = '/github/workspace';
const DEFAULT_LIMIT_BYTES = 2 ** 30;

/** Where the action, or the system, has something of its own. */
const TAKEN = ['/pod-step', '/airflow/xcom', '/proc', '/sys', '/dev'];

const FOR_CHECKOUT = ['checkout_submodules', 'checkout_lfs', 'git_image'] as const;

/** Reads which files go into the pod and come out of it. What is wrong is on the reader's list then. */
export function readFiles(reader: InputReader): FilesInputs {
  const choice = reader.choice('workspace', SOURCES) ?? 'none';
  const hasVolume = reader.given('workspace_volume') !== undefined && !reader.saysNothing('workspace_volume');
  const download = readDownload(reader);
  const source: WorkspaceSource | undefined =
    choice === 'none' ? (hasVolume || download ? 'empty' : undefined) : choice;
  const unused = [
    ...(source === undefined ? (['workspace_path'] as const) : []),
    ...(source === 'upload' ? [] : (['workspace_exclude'] as const)),
    ...(source === 'checkout' ? [] : FOR_CHECKOUT),
    ...(download ? [] : (['download_limit'] as const)),
  ].filter(input => reader.ownNames().includes(input));
  if (unused.length > 0)
    reader.warnings.add(
      `${unused.join(', ')}: nothing here uses ${unused.length === 1 ? 'it' : 'them'}: ${unused.map(useOf).join(', ')}.`,
    );
  const workspace: FilesInputs['workspace'] = source && { source, path: readPath(reader) };
  return {
    ...defined({
      workspace,
      exclude: source === 'upload' ? reader.raw('workspace_exclude') : undefined,
      checkout: source === 'checkout' ? readCheckout(reader) : undefined,
      download,
    }),
    helperImage: readImage(reader, 'helper_image') ?? DEFAULT_HELPER_IMAGE,
  };
}

function useOf(input: string): string {
  if (input === 'workspace_path') return 'workspace_path goes with workspace, workspace_volume or download';
  if (input === 'download_limit') return 'download_limit goes with download';
  return `${input} goes with workspace: ${input === 'workspace_exclude' ? 'upload' : 'checkout'}`;
}

function readPath(reader: InputReader): string {
  const path = reader.word('workspace_path') ?? DEFAULT_PATH;
  const folder = posix.normalize(path).replace(/(.)\/+$/, '$1');
  const problem = wrongPath(path, folder);
  if (problem === undefined) return folder;
  reader.problem('workspace_path', problem);
  return DEFAULT_PATH;
}

function wrongPath(path: string, folder: string): string | undefined {
  if (!path.startsWith('/') || path.split('/').includes('..') || folder === '/')
    return `expected an absolute path in the container, e.g. ${DEFAULT_PATH}; found ${JSON.stringify(path)}.`;
  if (/[:\p{Cc}]/u.test(path)) return `${JSON.stringify(path)} has a character in it that no mount can have.`;
  const taken = TAKEN.find(one => folder === one || folder.startsWith(`${one}/`) || one.startsWith(`${folder}/`));
  return taken && `${folder} cannot be the workspace: ${taken} is in use. Choose another.`;
}

function readCheckout(reader: InputReader): CheckoutInputs {
  const of = (name: string) => reader.env[name] ?? '';
  const submodules = reader.choice('checkout_submodules', ['false', 'true', 'recursive']);
  const [repository, commit] = [of('GITHUB_REPOSITORY'), of('GITHUB_SHA')];
  if (repository === '' || commit === '')
    reader.problem(
      'workspace',
      `checkout takes the job's repository and commit, and the runner has no ${repository === '' ? 'GITHUB_REPOSITORY' : 'GITHUB_SHA'}.`,
    );
  const token = reader.word('github_token');
  return {
    server: (of('GITHUB_SERVER_URL') || 'https://github.com').replace(/\/+$/, ''),
    repository,
    commit,
    ...(token !== undefined && { token }),
    submodules: submodules === 'recursive' ? 'recursive' : submodules === 'true' ? 'direct' : 'none',
    lfs: reader.boolean('checkout_lfs') ?? false,
    image: readImage(reader, 'git_image') ?? DEFAULT_GIT_IMAGE,
  };
}

function readDownload(reader: InputReader): FilesInputs['download'] {
  const lines = (reader.raw('download') ?? '').split(/\r?\n/).map(line => line.trim());
  const given = lines.filter(line => line !== '');
  const limitBytes = readLimit(reader);
  if (given.length === 0) return undefined;
  const { patterns, problems } = parsePatterns(given);
  for (const problem of problems) reader.problem('download', problem);
  return { patterns: new Patterns(problems.length > 0 ? [] : patterns), limitBytes };
}

/** Kubernetes' suffixes for bytes. */
const UNITS: Record<string, number> = {
  ...{ '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
};

function readLimit(reader: InputReader): number {
  const word = reader.word('download_limit');
  if (word === undefined) return DEFAULT_LIMIT_BYTES;
  const [, number = '', unit = ''] = /^([0-9]+(?:\.[0-9]+)?)((?:[kMGT]|[KMGT]i)?)$/.exec(word) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (number !== '' && bytes >= 1) return Math.floor(bytes);
  reader.problem('download_limit', `expected a size, e.g. 500Mi or 2Gi; found ${JSON.stringify(word)}.`);
  return DEFAULT_LIMIT_BYTES;
}

/** @returns the image that an input names, unless it is none */
export function readImage(
  reader: InputReader,
  input: 'helper_image' | 'git_image' | 'xcom_sidecar_container_image',
): string | undefined {
  const image = reader.word(input);
  if (image === undefined || !/\s/.test(image)) return image;
  reader.problem(input, `${JSON.stringify(image)} is no image: it holds white space.`);
  return undefined;
}
