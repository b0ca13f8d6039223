import type { Conclusion } from '../../../src/run/result/conclusion.ts';
import type { FakeApiServer, FakePod } from '../../support/fake-api-server.ts';
import type { CapturedLog } from './captured-log.ts';
import type { Dice } from './dice.ts';
import type { Faults } from './faults.ts';

/** One run's cast. */
export interface Stage {
  dice: Dice;
  server: FakeApiServer;
  faults: Faults;
  log: CapturedLog;
  nodeZone: string;
}

/** A pod's life, drawn by lot. */
export interface Life {
  /** Inputs beside image and kubeconfig. */
  inputs?: Record<string, string>;
  /** Moves the pod through it. */
  live(pod: FakePod): Promise<void>;
  /** Whether what came out is right. Asked when the step is through. */
  check(conclusion: Conclusion): void;
}

/** Draws a life of one kind. */
export type Kind = (stage: Stage) => Life;

/** Waits for what the step shows. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (const start = Date.now(); !holds(); ) {
    if (Date.now() - start > 10_000) throw new Error(`Waited 10 s for ${what}.`);
    await new Promise(resolve => setTimeout(resolve, 1));
  }
}
