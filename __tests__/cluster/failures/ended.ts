import { isRunning, type Scenario, sh } from './scenario.ts';

const WAITS = sh('echo at work; sleep 600');
const DELETED = 'Pod deleted';
/** An image that cannot be pulled just now. */
const busy = (registry: string) => ({ image: `${registry}/503/app:1` });
const lifecycle = (what: object) => JSON.stringify({ spec: { containers: [{ name: 'base', ...what }] } });

/** The container ran, or was to, and its end is the step's. */
export const ENDED: Scenario[] = [
  {
    name: 'The command exits with a code other than 0',
    inputs: sh('sleep 1; exit 3'),
    expected: { title: 'Exit code 3', says: '', reason: 'ExitCode', exitCode: 3 },
  },
  {
    name: 'The command dies of a signal: SIGTERM',
    inputs: sh('sh -c "kill -TERM \\$\\$"; exit $?'),
    expected: { title: 'Exit code 143', says: '', reason: 'ExitCode', exitCode: 143 },
  },
  {
    name: 'The command dies of a signal: SIGSEGV',
    inputs: sh('sh -c "kill -SEGV \\$\\$"; exit $?'),
    expected: { title: 'Exit code 139', says: '', reason: 'ExitCode', exitCode: 139 },
  },
  {
    name: 'The shell may not execute the command',
    inputs: sh('touch /tmp/job; /tmp/job'),
    expected: { title: 'Exit code 126', says: '', reason: 'ExitCode', exitCode: 126 },
  },
  {
    name: 'The shell does not find the command',
    inputs: sh('pyhton main.py'),
    expected: { title: 'Exit code 127', says: '', reason: 'ExitCode', exitCode: 127 },
  },
  {
    name: 'The container exceeds its memory limit',
    inputs: { cmds: '[tail, /dev/zero]', container_resources: '{limits: {memory: 16Mi}}' },
    expected: { title: 'Out of memory', says: '', reason: 'OOMKilled', exitCode: 137 },
  },
  {
    name: 'A child process exceeds the memory limit, and the command goes on',
    inputs: { ...sh('tail /dev/zero; echo went on; sleep 1'), container_resources: '{limits: {memory: 16Mi}}' },
    expected: { title: 'A child process ran out of memory', says: '', exitCode: 0 },
  },
  {
    name: 'The image has no such command',
    inputs: { cmds: '[pyhton, main.py]' },
    expected: { title: 'The command cannot be started', says: '', reason: 'StartError', exitCode: 128 },
  },
  {
    name: 'The command is a file that cannot be executed',
    inputs: { cmds: '[/etc/hostname]' },
    expected: { title: 'The command cannot be started', says: '', reason: 'StartError', exitCode: 128 },
  },
  {
    name: 'The working directory is a file',
    inputs: { cmds: 'true', working_dir: '/etc/hostname' },
    expected: { title: 'The command cannot be started', says: '', reason: 'StartError', exitCode: 128 },
  },
  {
    name: 'The deadline ends the container',
    inOrder: true,
    inputs: { ...WAITS, active_deadline_seconds: '3' },
    expected: { title: 'Deadline exceeded', says: '', reason: 'DeadlineExceeded', exitCode: 137 },
  },
  {
    name: 'The deadline ends the container, which exits with 0',
    inOrder: true,
    inputs: { ...sh('trap "exit 0" TERM; while :; do sleep 0.1; done'), active_deadline_seconds: '3' },
    expected: { title: 'Deadline exceeded', says: '', reason: 'DeadlineExceeded', exitCode: 0 },
  },
  {
    name: 'The deadline is over before the image could be pulled',
    inOrder: true,
    sameMachine: true,
    inputs: ({ registry }) => ({ ...busy(registry), active_deadline_seconds: '4' }),
    expected: { title: 'Deadline exceeded', says: '', reason: 'DeadlineExceeded' },
  },
  {
    name: 'The container fails again and again, until the deadline (`restartPolicy: OnFailure`)',
    inOrder: true,
    inputs: {
      ...sh('exit 4'),
      full_pod_spec: '{spec: {restartPolicy: OnFailure}}',
      active_deadline_seconds: '6',
    },
    expected: { title: 'Deadline exceeded', says: '', reason: 'DeadlineExceeded', exitCode: 4 },
  },
  {
    name: 'Somebody deletes the pod while the container runs',
    inOrder: true,
    inputs: WAITS,
    async during({ namespace, pod }) {
      const { metadata } = await pod(isRunning);
      await namespace.kubectl(['delete', 'pod', metadata?.name ?? '', '--wait=false']);
    },
    expected: { title: DELETED, says: '', reason: 'PodDeleted', exitCode: 137 },
  },
  {
    name: 'Somebody deletes the pod, and the container exits with 0',
    inputs: sh('trap "exit 0" TERM; echo at work; while :; do sleep 0.1; done'),
    async during({ namespace, pod, step }) {
      const { metadata } = await pod(isRunning);
      await step.line('at work');
      await namespace.kubectl(['delete', 'pod', metadata?.name ?? '', '--wait=false']);
    },
    expected: { title: DELETED, says: '', reason: 'PodDeleted', exitCode: 0 },
  },
  {
    name: 'Somebody deletes the pod before the container has started',
    inOrder: true,
    sameMachine: true,
    inputs: ({ registry }) => busy(registry),
    async during({ namespace, pod }) {
      const { metadata } = await pod(({ status }) => status?.containerStatuses?.[0]?.state?.waiting !== undefined);
      await namespace.kubectl(['delete', 'pod', metadata?.name ?? '', '--wait=false']);
    },
    expected: { title: DELETED, says: '', reason: 'PodDeleted' },
  },
  {
    name: 'Somebody deletes the pod by force',
    inOrder: true,
    inputs: WAITS,
    async during({ namespace, pod }) {
      const { metadata } = await pod(isRunning);
      await namespace.kubectl(['delete', 'pod', metadata?.name ?? '', '--force', '--grace-period=0', '--wait=false']);
    },
    expected: { title: DELETED, says: '', reason: 'PodDeleted' },
  },
  {
    name: 'The hook `postStart` fails',
    inOrder: true,
    inputs: {
      ...WAITS,
      full_pod_spec: lifecycle({
        lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo no licence >&2; exit 7'] } } },
      }),
    },
    expected: { title: 'PostStart hook failed', says: '', reason: 'StartError', exitCode: 137 },
  },
  {
    name: 'The liveness probe fails',
    inOrder: true,
    inputs: {
      ...WAITS,
      full_pod_spec: lifecycle({
        livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
      }),
    },
    expected: { title: 'Liveness probe failed', says: '', reason: 'ExitCode', exitCode: 137 },
  },
  {
    name: 'The startup probe fails',
    inOrder: true,
    inputs: {
      ...WAITS,
      full_pod_spec: lifecycle({
        startupProbe: { tcpSocket: { port: 1 }, periodSeconds: 1, failureThreshold: 2 },
      }),
    },
    expected: { title: 'Startup probe failed', says: '', reason: 'ExitCode', exitCode: 137 },
  },
];

const FAILING_INIT = 'sleep 1; echo no route to the database; exit 5';
const init = (more: object) => ({ init_containers: JSON.stringify([{ name: 'prepare', image: SHELL, ...more }]) });
/** The image of the tests, as its cluster has it. */
const SHELL = 'localhost/pod-step/shell:1';
const shell = (text: string) => ({ command: ['sh', '-c', text] });

/** The base container never started: what ran before it failed. */
export const INIT: Scenario[] = [
  {
    name: 'An init container exits with a code other than 0',
    inputs: init(shell(FAILING_INIT)),
    expected: { title: 'Init container: Exit code 5', says: '', reason: 'InitContainer' },
  },
  {
    name: 'An init container fails and leaves a termination message',
    inputs: init({ ...shell(FAILING_INIT), terminationMessagePolicy: 'FallbackToLogsOnError' }),
    expected: { title: 'Init container: Exit code 5', says: '', reason: 'InitContainer' },
  },
  {
    name: 'An init container exceeds its memory limit',
    inputs: init({ command: ['tail', '/dev/zero'], resources: { limits: { memory: '16Mi' } } }),
    expected: { title: 'Init container: Out of memory', says: '', reason: 'OOMKilled' },
  },
  {
    name: 'An init container’s image has no such command',
    inputs: init({ command: ['alembic', 'upgrade', 'head'] }),
    expected: { title: 'Init container: The command cannot be started', says: '', reason: 'StartError' },
  },
  {
    name: 'An init container’s image does not exist',
    sameMachine: true,
    inputs: ({ registry }) => init({ image: `${registry}/404/tool:1` }),
    shownBy: { pod: ({ status }) => status?.initContainerStatuses?.[0]?.state?.waiting?.reason === 'ErrImagePull' },
    expected: { title: 'Image cannot be pulled', says: '', reason: 'ImagePull' },
  },
  {
    name: 'A sidecar that is to run before the base container keeps ending',
    inOrder: true,
    inputs: {
      ...init({
        ...shell('echo no port; exit 9'),
        restartPolicy: 'Always',
        startupProbe: { exec: { command: ['true'] }, initialDelaySeconds: 5 },
      }),
      startup_timeout_seconds: '8',
    },
    takes: 8,
    expected: { title: 'Sidecar: Exit code 9', says: '', reason: 'StartTimeout' },
  },
];

/** What fails beside the base container is no failure of the step. */
export const BESIDE: { name: string; inputs: Scenario['inputs'] }[] = [
  {
    name: 'a second container that fails',
    inputs: {
      ...sh('sleep 1; echo done'),
      full_pod_spec: JSON.stringify({
        spec: { containers: [{ name: 'base' }, { name: 'metrics', image: SHELL, ...shell('exit 6') }] },
      }),
    },
  },
  {
    name: 'a second container that never ends',
    inputs: {
      ...sh('sleep 1; echo done'),
      full_pod_spec: JSON.stringify({
        spec: { containers: [{ name: 'base' }, { name: 'proxy', image: SHELL, ...shell('sleep 600') }] },
      }),
    },
  },
];
