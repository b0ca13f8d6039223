import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The files a step may write its commands to, fresh for each of main and post. */
const commandFiles = {
  output: 'GITHUB_OUTPUT',
  state: 'GITHUB_STATE',
  env: 'GITHUB_ENV',
  path: 'GITHUB_PATH',
  summary: 'GITHUB_STEP_SUMMARY',
} as const;
export type CommandFile = keyof typeof commandFiles;

export interface CommandFiles {
  variables: Record<string, string>;
  read(file: CommandFile): string;
}

/** Temporary folders of one step. */
export class StepFolders {
  readonly root = mkdtempSync(join(tmpdir(), 'step-'));
  readonly home = this.#make('home');
  readonly temp = this.#make('temp');
  readonly tools = this.#make('tools');
  readonly eventFile = join(this.temp, 'event.json');
  readonly workspace: string;
  #phases = 0;

  constructor(workspace?: string) {
    this.workspace = workspace ?? this.#make('workspace');
    writeFileSync(this.eventFile, '{}');
  }

  commandFiles(): CommandFiles {
    const folder = this.#make(join('temp', '_runner_file_commands', String(this.#phases++)));
    const paths = Object.fromEntries(Object.values(commandFiles).map(variable => [variable, join(folder, variable)]));
    for (const path of Object.values(paths)) writeFileSync(path, '');
    return {
      variables: paths,
      read: file => {
        try {
          return readFileSync(join(folder, commandFiles[file]), 'utf8');
        } catch {
          return ''; // removed by the step: the runner takes it as empty
        }
      },
    };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #make(name: string): string {
    const path = join(this.root, name);
    mkdirSync(path, { recursive: true });
    return path;
  }
}

/** What the runner gives every step of a job (GITHUB_*, RUNNER_*), and nothing of the test's own environment but PATH. */
export function jobEnvironment(folders: StepFolders): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: folders.home,
    LANG: 'C.UTF-8',
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTION: '__octo_action',
    GITHUB_ACTOR: 'octocat',
    GITHUB_ACTOR_ID: '583231',
    GITHUB_API_URL: 'https://api.github.com',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: folders.eventFile,
    GITHUB_GRAPHQL_URL: 'https://api.github.com/graphql',
    GITHUB_JOB: 'test',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: 'octo/repo',
    GITHUB_REPOSITORY_ID: '1296269',
    GITHUB_REPOSITORY_OWNER: 'octo',
    GITHUB_REPOSITORY_OWNER_ID: '583231',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '1658821493',
    GITHUB_RUN_NUMBER: '3',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: 'ffac537e6cbbf934b08745a378932722df287a53',
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'test',
    GITHUB_WORKFLOW_REF: 'octo/repo/.github/workflows/test.yml@refs/heads/main',
    GITHUB_WORKSPACE: folders.workspace,
    RUNNER_ARCH: 'X64',
    RUNNER_ENVIRONMENT: 'self-hosted',
    RUNNER_NAME: 'step-runner',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: folders.temp,
    RUNNER_TOOL_CACHE: folders.tools,
  };
}
