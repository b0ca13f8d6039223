import { parseArgs } from 'node:util';
import { down, type Status, status, up } from './index.ts';

const usage = `npm run cluster -- up | down | status | env [--name NAME]

up      starts the test cluster, unless it is up already
down    takes it away with all it left behind
status  what there is of it
env     prints what a shell needs to use it: eval "$(npm run -s cluster -- env)"
`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

// A reader that has seen enough, as in `... | head -1`, is no reason to stop a start half way.
process.stdout.on('error', () => {});

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { name: { type: 'string', default: 'default' }, help: { type: 'boolean', short: 'h', default: false } },
    allowPositionals: true,
  });
  const [command, ...more] = positionals;
  if (values.help) return void process.stdout.write(usage);
  switch (more.length === 0 ? command : undefined) {
    case 'up': {
      const cluster = await up({ name: values.name }, print);
      print(`cluster ${cluster.name} (${cluster.provider}) is up: KUBECONFIG=${cluster.kubeconfig}`);
      return;
    }
    case 'down':
      return await down(values.name, print);
    case 'status':
      return printStatus(await status(values.name));
    case 'env':
      return printEnvironment(await status(values.name));
    default:
      process.stderr.write(usage);
      process.exitCode = 2;
  }
}

function printStatus({ name, state, cluster, parts }: Status): void {
  print(
    cluster
      ? `cluster ${name} (${cluster.provider}) is ${state}: KUBECONFIG=${cluster.kubeconfig}`
      : `cluster ${name} is down`,
  );
  for (const [part, runs] of Object.entries(parts ?? {})) print(`  ${part} ${runs ? 'runs' : 'does not run'}`);
  if (state !== 'up') process.exitCode = 1;
}

function printEnvironment({ name, state, cluster }: Status): void {
  if (!cluster || state !== 'up') throw new Error(`Cluster ${name} is ${state}: \`npm run cluster -- up\` starts it.`);
  const variables = {
    KUBECONFIG: cluster.kubeconfig,
    KUBECTL: cluster.kubectl,
    SHELL_IMAGE: cluster.images.shell,
    NO_SHELL_IMAGE: cluster.images.noShell,
    NON_ROOT_IMAGE: cluster.images.nonRoot,
    GIT_IMAGE: cluster.images.git,
  };
  for (const [variable, value] of Object.entries(variables)) {
    if (value !== undefined) print(`export ${variable}='${value.replaceAll("'", "'\\''")}'`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
