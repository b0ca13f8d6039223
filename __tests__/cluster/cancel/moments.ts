import type { ApiRelay } from '../../support/api-relay.ts';
import { cluster, script } from '../../support/cluster.ts';
import type { Fault, RequestMatch } from '../../support/faults.ts';
import type { RunningStep } from '../../support/step-runner.ts';

/** Where a step stands when it is cancelled, or killed. */
export interface Moment {
  name: string;
  inputs: Record<string, string>;
  env?: Record<string, string>;
  /** What goes wrong on the way to the API server. */
  faults?: Fault[];
  /** Settles when the step is there. */
  comes(step: RunningStep, relay: ApiRelay): Promise<unknown>;
  /** What a step that is cancelled says of itself; `cancelled` unless it may have come to an end already. `undefined` where it cannot say anything. */
  state?: RegExp | undefined;
  /** The pod is to be there afterwards. */
  kept?: boolean;
  /** Its image comes from a registry on this machine that never answers. */
  pulls?: boolean;
}

const create: RequestMatch = { verb: 'create' };
const secrets: RequestMatch = { method: 'POST', path: /\/secrets$/ };
const remove: RequestMatch = { verb: 'delete' };
const tail: RequestMatch = { verb: 'log', query: { follow: 'false' } };
const events: RequestMatch = { method: 'GET', path: /\/events$/ };
const of = (match: RequestMatch, action: Fault['action'], times = 1): Fault[] => [{ match, action, times }];
const asked = (match: RequestMatch) => (_: RunningStep, relay: ApiRelay) => relay.request(match);
const answered = (match: RequestMatch) => (_: RunningStep, relay: ApiRelay) => relay.request(match, { answered: true });
const says =
  (line: RegExp | string, nth = 1) =>
  (step: RunningStep) =>
    step.line(line, 40_000, nth);

const runs = script('trap "exit 143" TERM; echo running; sleep 600 & wait');
const ignores = script('trap "" TERM; echo running; while :; do sleep 0.2; done');
const result = 'echo "{\\"rows\\": 7}" > /airflow/xcom/return.json';
const secret = { secret_env: 'PASSWORD=correct horse' };
const keepsWhenKilled = { on_kill_action: 'keep_pod' };
const initially = {
  init_containers: JSON.stringify([
    {
      ...{ name: 'prepare', image: cluster.images.shell },
      command: ['sh', '-c', 'trap "exit 143" TERM; echo preparing; sleep 600 & wait'],
    },
  ]),
};

export const MOMENTS: Moment[] = [
  {
    // Its pod takes the 30 s that it is given.
    name: 'while a container runs that ignores SIGTERM',
    inputs: ignores,
    comes: says(/^running$/),
  },
  {
    name: 'while a container runs that ignores SIGTERM, and has a grace period of its own',
    inputs: { ...ignores, termination_grace_period: '1' },
    comes: says(/^running$/),
  },
  { name: 'as soon as its process is there', inputs: runs, comes: () => Promise.resolve(), state: undefined },
  {
    name: 'while it looks for what an earlier attempt has left',
    inputs: runs,
    env: { GITHUB_RUN_ATTEMPT: '2' },
    faults: of({ verb: 'list' }, { kind: 'hang' }),
    comes: asked({ verb: 'list' }),
  },
  {
    name: 'while its create is on the way',
    inputs: runs,
    faults: of(create, { kind: 'delay', ms: 500 }),
    comes: asked(create),
  },
  {
    name: 'while its create is on the way, for longer than it can wait',
    inputs: runs,
    faults: of(create, { kind: 'hang' }),
    comes: asked(create),
  },
  {
    name: 'while the answer to its create is on the way, and never comes',
    inputs: { ...runs, ...secret },
    faults: of(create, { kind: 'quiet' }),
    comes: answered(create),
  },
  {
    name: 'when the answer to its create has been lost',
    inputs: runs,
    faults: [...of(create, { kind: 'loseAnswer' }), ...of({ verb: 'get' }, { kind: 'delay', ms: 300 })],
    comes: asked({ verb: 'get' }),
  },
  {
    name: 'while its Secret is on the way',
    inputs: { ...runs, ...secret },
    faults: of(secrets, { kind: 'delay', ms: 500 }),
    comes: asked(secrets),
  },
  {
    name: 'while the answer for its Secret is on the way, and never comes',
    inputs: { ...runs, ...secret },
    faults: of(secrets, { kind: 'quiet' }),
    comes: answered(secrets),
  },
  {
    name: 'while no node takes its pod',
    inputs: { ...runs, ...secret, node_selector: '{nowhere: to-be-found}' },
    comes: says('waiting for a node'),
  },
  {
    name: 'while its image is pulled',
    inputs: runs,
    comes: says(/^pulling image/),
    pulls: true,
  },
  {
    name: 'while an init container runs',
    inputs: { ...runs, ...initially },
    comes: says(/preparing$/),
  },
  { name: 'while its container runs, with a Secret', inputs: { ...runs, ...secret }, comes: says(/^running$/) },
  {
    name: 'while its container runs, though it is kept when it has ended',
    inputs: { ...runs, on_finish_action: 'keep_pod' },
    comes: says(/^running$/),
  },
  {
    name: 'while its container runs, and on_kill_action keeps it',
    inputs: { ...runs, ...keepsWhenKilled },
    comes: says(/^running$/),
    kept: true,
  },
  {
    name: 'while its Secret is on the way, and on_kill_action keeps its pod',
    inputs: { ...runs, ...secret, ...keepsWhenKilled },
    faults: of(secrets, { kind: 'delay', ms: 300 }),
    comes: asked(secrets),
    kept: true,
  },
  {
    name: 'when its container has ended, while the end of its log is read',
    inputs: script(`${result}; echo done`),
    faults: of(tail, { kind: 'hang' }),
    comes: asked(tail),
  },
  {
    name: 'when its container has ended, just before its result is there',
    inputs: script(`${result}; echo done`),
    faults: of(tail, { kind: 'delay', ms: 150 }),
    comes: answered(tail),
    state: /^(cancelled|succeeded)$/,
  },
  {
    name: 'when its container has failed, while the cluster is asked why',
    inputs: script('exit 3'),
    faults: of(events, { kind: 'hang' }, 9),
    comes: asked(events),
    state: /^(cancelled|failed)$/,
  },
  {
    name: 'while its pod is being deleted',
    inputs: { ...script('echo done'), ...secret },
    faults: of(remove, { kind: 'delay', ms: 500 }),
    comes: asked(remove),
    state: /^succeeded$/,
  },
  {
    name: 'while its pod has been deleted, and the answer never comes',
    inputs: script('echo done'),
    faults: of(remove, { kind: 'quiet' }),
    comes: answered(remove),
    state: /^succeeded$/,
  },
  {
    name: 'between two tries',
    inputs: { ...script('exit 3'), retries: '1', retry_on: 'any', retry_delay_seconds: '600' },
    comes: says('The next try begins in'),
  },
  {
    name: 'in the second try, under the name of the first',
    inputs: {
      ...script('echo running; sleep 2; exit 3'),
      ...{ name: 'tried-twice', random_name_suffix: 'false', retries: '1', retry_on: 'any', retry_delay_seconds: '0' },
      ...secret,
    },
    comes: says(/^running$/, 2),
  },
];
