import { type Scenario, SHELL } from './scenario.ts';

const FAILING_INIT = 'sleep 1; echo no route to the database; exit 5';
const init = (more: object) => ({ init_containers: JSON.stringify([{ name: 'prepare', image: SHELL, ...more }]) });
const shell = (text: string) => ({ command: ['sh', '-c', text] });

/** The base container never started: what ran before it failed. */
export const INIT: Scenario[] = [
  {
    name: 'An init container exits with a code other than 0',
    inputs: init(shell(FAILING_INIT)),
    expected: {
      title: 'Init container: Exit code 5',
      says: 'Init container prepare of pod NS/POD exited with code 5 after N s. The base container never started. See to the container in `init_containers` or the template.',
      reason: 'InitContainer',
    },
  },
  {
    name: 'An init container fails and leaves a termination message',
    inputs: init({ ...shell(FAILING_INIT), terminationMessagePolicy: 'FallbackToLogsOnError' }),
    expected: {
      title: 'Init container: Exit code 5',
      says: 'Init container prepare of pod NS/POD exited with code 5 after N s. Its last words: no route to the database. The base container never started. See to the container in `init_containers` or the template.',
      reason: 'InitContainer',
    },
  },
  {
    name: 'An init container exceeds its memory limit',
    inputs: init({ ...shell('sleep 1; exec tail /dev/zero'), resources: { limits: { memory: '16Mi' } } }),
    expected: {
      title: 'Init container: Out of memory',
      says: 'Init container prepare of pod NS/POD was killed after N s for exceeding its memory limit of 16Mi (OOMKilled, exit code 137). The base container never started. See to the container in `init_containers` or the template.',
      reason: 'OOMKilled',
    },
  },
  {
    name: 'An init container’s image has no such command',
    inputs: init({ command: ['alembic', 'upgrade', 'head'] }),
    expected: {
      title: 'Init container: The command cannot be started',
      says: 'Init container prepare of pod NS/POD could not be started (StartError, exit code 128): …exec: "alembic": executable file not found in $PATH…. The base container never started. See to the container in `init_containers` or the template.',
      reason: 'StartError',
    },
  },
  {
    name: 'An init container’s image does not exist',
    sameMachine: true,
    inputs: ({ registry }) => init({ image: `${registry}/404/tool:1` }),
    shownBy: { pod: ({ status }) => status?.initContainerStatuses?.[0]?.state?.waiting?.reason === 'ErrImagePull' },
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image REGISTRY/404/tool:1 of init container prepare cannot be pulled: …not found. Check the image of that container; a private registry needs `registry_username` and `registry_password`, or an image pull secret in `image_pull_secrets` or on the pod’s service account.',
      reason: 'ImagePull',
    },
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
    expected: {
      title: 'Sidecar: Exit code 9',
      says: 'The container of pod NS/POD did not start within 8 s: sidecar prepare keeps ending, last with exit code 9. The base container never started. See to the container in `init_containers` or the template.',
      reason: 'InitContainer',
    },
  },
];
