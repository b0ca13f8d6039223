import { randomUUID } from 'node:crypto';
import type { V1Pod } from '@kubernetes/client-node';
import { kubectl, Namespace } from '../../support/cluster.ts';
import { Pool } from '../../support/pool.ts';
import type { StepResult } from '../../support/step-runner.ts';
import { StubRegistry } from '../../support/stub-registry.ts';
import { type Report, WATCHED, Witness } from '../../support/witness.ts';
import type { Inputs, Place, Scenario, ShownBy } from './scenario.ts';
import { verdictOf } from './verdict.ts';

/** Steps at a time: they mostly wait. */
const AT_A_TIME = 6;
/** Beyond what a scenario takes by design. */
const TIMEOUT_SECONDS = 150;

/** How a scenario went. */
export interface Played {
  scenario: Scenario;
  result: StepResult;
  /** What the cluster told of the step's pod, before the verdict and after. */
  reports: Report[];
  /** The one that shows that there is no hope. */
  shown: Report | undefined;
  /** When the first annotation was there, by `performance.now()`. */
  verdictAtMs: number | undefined;
  /** From the report that shows that there is no hope; from the start of the step where no pod came about. */
  tookMs: number | undefined;
  /** The annotation's text with placeholders, see Expected. */
  says: string | undefined;
}

/** Where scenarios are played: one namespace for most, a registry and a witness for all. */
export class Theatre implements AsyncDisposable {
  readonly #namespace: Namespace;
  readonly #witness = new Witness();
  readonly #registry: StubRegistry;
  readonly #node: string;
  readonly #pool: Pool;

  private constructor(namespace: Namespace, registry: StubRegistry, node: string, atATime: number) {
    this.#namespace = namespace;
    this.#registry = registry;
    this.#node = node;
    this.#pool = new Pool(atATime);
  }

  static async open(atATime = AT_A_TIME): Promise<Theatre> {
    const node = await kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
    return new Theatre(await Namespace.create(), await StubRegistry.start(), node, atATime);
  }

  get namespace(): Namespace {
    return this.#namespace;
  }

  /** Plays when there is room. */
  play(scenario: Scenario): Promise<Played> {
    return this.#pool.run(() => this.#play(scenario));
  }

  async #play(scenario: Scenario): Promise<Played> {
    await using own = scenario.alone ? await Namespace.create() : undefined;
    const namespace = own ?? this.#namespace;
    const place: Place = {
      namespace,
      kubectl,
      registry: this.#registry.host,
      node: this.#node,
    };
    await scenario.before?.(place);
    const inputs = typeof scenario.inputs === 'function' ? await scenario.inputs(place) : scenario.inputs;
    const id = randomUUID();
    const step = namespace.start(withDefaults(inputs, id), {
      timeoutMs: 1000 * (TIMEOUT_SECONDS + (scenario.takes ?? 0)),
    });
    const pod = async (isAsWanted: (pod: V1Pod) => boolean, timeoutMs?: number): Promise<V1Pod> => {
      const found = await this.#witness.until(id, report => !!report.pod && isAsWanted(report.pod), timeoutMs);
      return found.pod as V1Pod;
    };
    try {
      await scenario.during?.({ ...place, step, pod });
      const result = await step.done;
      const { conclusion } = await step.runPost();
      if (conclusion !== 'success') throw new Error(`The post step failed, after\n${result.text}`);
      return this.#played(scenario, place, id, result);
    } finally {
      await step.dispose();
      await scenario.after?.(place);
    }
  }

  #played(scenario: Scenario, place: Place, id: string, result: StepResult): Played {
    const reports = this.#witness.reportsOf(id);
    const lineOf = (level: string) => result.lines.find(({ command }) => command?.name === level);
    const verdict = lineOf('error') ?? lineOf('warning');
    const verdictAtMs = verdict && result.startedAtMs + verdict.atMs;
    const shown = reports.find(report => shows(report, scenario.shownBy));
    const created = reports[0]?.atMs ?? result.startedAtMs;
    // A time-out counts from the start.
    const since = scenario.takes !== undefined && scenario.shownBy === undefined ? created : (shown?.atMs ?? created);
    return {
      scenario,
      result,
      reports,
      shown,
      verdictAtMs,
      tookMs: verdictAtMs === undefined ? undefined : verdictAtMs - since,
      says: withPlaceholders(result, place),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#witness[Symbol.dispose]();
    this.#registry[Symbol.dispose]();
    await this.#namespace[Symbol.asyncDispose]();
  }
}

function withDefaults(inputs: Inputs, id: string): Inputs {
  // A shell as process 1 does not heed SIGTERM.
  return { cmds: 'true', termination_grace_period: '1', ...inputs, labels: `${WATCHED}: ${id}` };
}

function shows({ type, pod, event }: Report, by?: ShownBy): boolean {
  if (by !== undefined) return (pod !== undefined && !!by.pod?.(pod)) || (event !== undefined && !!by.event?.(event));
  if (pod === undefined) return false;
  const base = pod.status?.containerStatuses?.find(({ name }) => name === 'base');
  return type === 'DELETED' || pod.status?.phase === 'Failed' || base?.state?.terminated !== undefined;
}

function withPlaceholders(result: StepResult, { namespace, registry, node }: Place): string | undefined {
  const { outputs } = result;
  const names: [string | undefined, string][] = [
    [outputs['pod_name'], 'POD'],
    [namespace.name, 'NS'],
    [registry, 'REGISTRY'],
  ];
  const text = names.reduce<string | undefined>(
    (rest, [name, placeholder]) => (name ? rest?.replaceAll(name, placeholder) : rest),
    verdictOf(result)?.message,
  );
  return (
    text
      ?.replaceAll(new RegExp(`\\b([Nn]ode) ${node}\\b`, 'g'), '$1 NODE')
      // The name of a pod that did not come about is in no output.
      .replace(/\btest-octo-action-[a-z0-9]{8}\b/g, 'POD')
      .replace(/ after \d+ s\b/g, ' after N s')
  );
}
