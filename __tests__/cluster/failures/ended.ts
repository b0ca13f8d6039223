import { isRunning, type Scenario, sh } from './scenario.ts';

const WAITS = sh('echo at work; sleep 600');
/** An image that cannot be pulled just now. */
const busy = (registry: string) => ({ image: `${registry}/503/app:1` });
const lifecycle = (what: object) => JSON.stringify({ spec: { containers: [{ name: 'base', ...what }] } });

/** The container ran, or was to, and its end is the step's. */
export const ENDED: Scenario[] = [
  {
    name: 'The command exits with a code other than 0',
    inputs: sh('sleep 1; exit 3'),
    expected: {
      title: 'Exit code 3',
      says: 'Container base of pod NS/POD exited with code 3 after N s.',
      reason: 'ExitCode',
      exitCode: 3,
    },
  },
  {
    name: 'The command dies of a signal: SIGTERM',
    inputs: sh('sleep 1; sh -c "kill -TERM \\$\\$"; exit $?'),
    expected: {
      title: 'Exit code 143',
      says: 'Container base of pod NS/POD exited with code 143 (SIGTERM) after N s.',
      reason: 'ExitCode',
      exitCode: 143,
    },
  },
  {
    name: 'The command dies of a signal: SIGSEGV',
    inputs: sh('sleep 1; sh -c "kill -SEGV \\$\\$"; exit $?'),
    expected: {
      title: 'Exit code 139',
      says: 'Container base of pod NS/POD exited with code 139 (SIGSEGV) after N s.',
      reason: 'ExitCode',
      exitCode: 139,
    },
  },
  {
    name: 'The shell may not execute the command',
    inputs: sh('sleep 1; touch /tmp/job; /tmp/job'),
    expected: {
      title: 'Exit code 126',
      says: 'Container base of pod NS/POD exited with code 126 after N s. By a shell’s convention that is a command that it may not execute: its log says which.',
      reason: 'ExitCode',
      exitCode: 126,
    },
  },
  {
    name: 'The shell does not find the command',
    inputs: sh('sleep 1; pyhton main.py'),
    expected: {
      title: 'Exit code 127',
      says: 'Container base of pod NS/POD exited with code 127 after N s. By a shell’s convention that is a command that it did not find: its log says which.',
      reason: 'ExitCode',
      exitCode: 127,
    },
  },
  {
    name: 'The container exceeds its memory limit',
    inputs: { ...sh('sleep 1; exec tail /dev/zero'), container_resources: '{limits: {memory: 16Mi}}' },
    expected: {
      title: 'Out of memory',
      says: 'Container base of pod NS/POD was killed after N s for exceeding its memory limit of 16Mi (OOMKilled, exit code 137). Raise `container_resources.limits.memory`.',
      reason: 'OOMKilled',
      exitCode: 137,
    },
  },
  {
    name: 'A child process exceeds the memory limit, and the command goes on',
    inputs: { ...sh('tail /dev/zero; echo went on; sleep 1'), container_resources: '{limits: {memory: 16Mi}}' },
    expected: {
      title: 'A child process ran out of memory',
      says: 'The container succeeded, but one of its processes was killed for exceeding the memory limit.',
      exitCode: 0,
    },
  },
  {
    name: 'The image has no such command',
    inputs: { cmds: '[pyhton, main.py]' },
    expected: {
      title: 'The command cannot be started',
      says: 'Container base of pod NS/POD could not be started (StartError, exit code 128): …exec: "pyhton": executable file not found in $PATH…. Check `cmds` and `arguments` against what the image holds.',
      reason: 'StartError',
      exitCode: 128,
    },
  },
  {
    name: 'The command is a file that cannot be executed',
    inputs: { cmds: '[/etc/hostname]' },
    expected: {
      title: 'The command cannot be started',
      says: 'Container base of pod NS/POD could not be started (StartError, exit code 128): …exec: "/etc/hostname": permission denied…. Check `cmds` and `arguments` against what the image holds.',
      reason: 'StartError',
      exitCode: 128,
    },
  },
  {
    name: 'The working directory is a file',
    inputs: { cmds: 'true', working_dir: '/etc/hostname' },
    expected: {
      title: 'The command cannot be started',
      says: 'Container base of pod NS/POD could not be started (StartError, exit code 128): …mkdir /etc/hostname: not a directory. Check `working_dir` and `volume_mounts` against what the image holds.',
      reason: 'StartError',
      exitCode: 128,
    },
  },
  {
    name: 'The deadline ends the container',
    inOrder: true,
    inputs: { ...WAITS, active_deadline_seconds: '6' },
    expected: {
      title: 'Deadline exceeded',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 137): the pod ran into its active_deadline_seconds of 6 s. Raise `active_deadline_seconds`, or make the work shorter.',
      reason: 'DeadlineExceeded',
      exitCode: 137,
    },
  },
  {
    name: 'The deadline ends the container, which exits with 0',
    inOrder: true,
    inputs: { ...sh('trap "exit 0" TERM; while :; do sleep 0.1; done'), active_deadline_seconds: '6' },
    expected: {
      title: 'Deadline exceeded',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 0): the pod ran into its active_deadline_seconds of 6 s. Raise `active_deadline_seconds`, or make the work shorter.',
      reason: 'DeadlineExceeded',
      exitCode: 0,
    },
  },
  {
    name: 'The deadline is over before the image could be pulled',
    inOrder: true,
    sameMachine: true,
    inputs: ({ registry }) => ({ ...busy(registry), active_deadline_seconds: '4' }),
    expected: {
      title: 'Deadline exceeded',
      says: 'Pod NS/POD ended before its container had run (image REGISTRY/503/app:1 could not be pulled: …503 Service Unavailable): the pod ran into its active_deadline_seconds of 4 s. See to that, or raise `active_deadline_seconds`.',
      slowSays:
        'Container base of pod NS/POD was not there yet, or not any more, when its node stopped the pod: the pod ran into its active_deadline_seconds of 4 s. Raise `active_deadline_seconds`, or make the work shorter.',
      reason: 'DeadlineExceeded',
    },
  },
  {
    name: 'The container fails again and again, until the deadline (`restartPolicy: OnFailure`)',
    inOrder: true,
    inputs: {
      ...sh('exit 4'),
      full_pod_spec: '{spec: {restartPolicy: OnFailure}}',
      active_deadline_seconds: '6',
    },
    shownBy: { pod: ({ status }) => status?.phase === 'Failed' },
    expected: {
      title: 'Deadline exceeded',
      says: 'Container base of pod NS/POD had exited with code 4, and waited to be started again: the pod ran into its active_deadline_seconds of 6 s. See why it fails, or raise `active_deadline_seconds`.',
      reason: 'DeadlineExceeded',
      exitCode: 4,
      logMayBeLost: true,
    },
  },
  {
    name: 'Somebody deletes the pod while the container runs',
    inOrder: true,
    inputs: WAITS,
    async during({ namespace, pod }) {
      const { metadata } = await pod(isRunning);
      await namespace.kubectl(['delete', 'pod', metadata?.name ?? '', '--wait=false']);
    },
    expected: {
      title: 'Pod deleted',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 137): somebody or something else deleted the pod.',
      reason: 'PodDeleted',
      exitCode: 137,
    },
  },
  {
    name: 'Somebody deletes the pod, and the container exits with 0',
    inputs: sh('trap "exit 0" TERM; sleep 1; echo at work; while :; do sleep 0.1; done'),
    async during({ namespace, pod, step }) {
      const { metadata } = await pod(isRunning);
      await step.line('at work');
      await namespace.kubectl(['delete', 'pod', metadata?.name ?? '', '--wait=false']);
    },
    expected: {
      title: 'Pod deleted',
      says: 'Container base of pod NS/POD was stopped after N s (exit code 0): somebody or something else deleted the pod.',
      reason: 'PodDeleted',
      exitCode: 0,
    },
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
    expected: {
      title: 'Pod deleted',
      says: 'Container base of pod NS/POD was not there yet, or not any more, when its node stopped the pod: somebody or something else deleted the pod.',
      reason: 'PodDeleted',
    },
  },
  {
    name: 'Somebody deletes the pod by force',
    inOrder: true,
    inputs: WAITS,
    async during({ namespace, pod }) {
      const { metadata } = await pod(isRunning);
      await namespace.kubectl(['delete', 'pod', metadata?.name ?? '', '--force', '--grace-period=0', '--wait=false']);
    },
    // The log of a pod that is gone is given a moment to say so.
    takes: 3,
    expected: {
      title: 'Pod deleted',
      says: 'Pod NS/POD is gone, and container base was running when it was last seen: somebody or something else deleted the pod.',
      reason: 'PodDeleted',
    },
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
    expected: {
      title: 'The postStart hook failed',
      says: 'Container base of pod NS/POD was killed after N s (exit code 137): its postStart hook failed. See to `lifecycle.postStart` of the container.',
      reason: 'FailedPostStartHook',
      exitCode: 137,
    },
  },
  {
    name: 'The liveness probe fails',
    inOrder: true,
    inputs: {
      ...WAITS,
      full_pod_spec: lifecycle({
        livenessProbe: {
          exec: { command: ['sh', '-c', 'echo no answer; exit 1'] },
          periodSeconds: 1,
          failureThreshold: 1,
        },
      }),
    },
    expected: {
      title: 'The liveness probe failed',
      says: 'Container base of pod NS/POD was killed after N s (exit code 137): its liveness probe failed: no answer. Raise the probe’s `failureThreshold` or `timeoutSeconds`, or leave it out: a step that runs to its end seldom needs one.',
      reason: 'Unhealthy',
      exitCode: 137,
    },
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
    expected: {
      title: 'The startup probe failed',
      says: 'Container base of pod NS/POD was killed after N s (exit code 137): its startup probe failed: dial tcp …:1: connect: connection refused. Raise the probe’s `failureThreshold` or `timeoutSeconds`, or leave it out: a step that runs to its end seldom needs one.',
      reason: 'Unhealthy',
      exitCode: 137,
    },
  },
  {
    name: 'The container succeeds, and its result is not JSON',
    inputs: sh('echo fine > /airflow/xcom/return.json'),
    expected: {
      title: 'Unusable result',
      says: 'What the container wrote to /airflow/xcom/return.json is not JSON: Unexpected text at line 1, column 1: it begins with `fine\\n`. Write JSON (text needs quotation marks), or set `do_xcom_push: false`.',
      reason: 'InvalidResult',
      exitCode: 0,
    },
  },
  {
    name: 'The container succeeds without the result that `do_xcom_push: true` asks for',
    inputs: { ...sh('echo done'), do_xcom_push: 'true' },
    expected: {
      title: 'No result',
      says: 'The container succeeded, but wrote nothing to /airflow/xcom/return.json, and do_xcom_push is true. Have it write JSON there, or set do_xcom_push to auto, which takes a result if there is one.',
      reason: 'InvalidResult',
      exitCode: 0,
    },
  },
];
