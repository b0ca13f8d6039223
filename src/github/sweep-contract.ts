import { CLUSTER_INPUTS } from './contract.ts';

/** The names in `sweep/action.yml`, which a test holds against the file. */
export const SWEEP_INPUTS = [
  ...CLUSTER_INPUTS,
  'older_than',
  'dry_run',
  'outage_timeout_seconds',
  'github_token',
] as const;

export const SWEEP_OUTPUTS = ['deleted', 'pods', 'state', 'reason'] as const;

export type SweepInputName = (typeof SWEEP_INPUTS)[number];
export type SweepOutputName = (typeof SWEEP_OUTPUTS)[number];
