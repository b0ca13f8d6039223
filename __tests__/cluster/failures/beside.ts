import { type Inputs, SHELL, sh } from './scenario.ts';

const shell = (text: string) => ({ command: ['sh', '-c', text] });

/** What fails beside the base container is no failure of the step. */
export const BESIDE: { name: string; inputs: Inputs }[] = [
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
