/** The names in `sweep/action.yml`, which a test holds against the file. */
export const SWEEP_INPUTS = [
  'kubeconfig',
  'config_file',
  'cluster_context',
  'cluster_url',
  'cluster_ca',
  'cluster_token',
  'in_cluster',
  'oidc_audience',
  'namespace',
  'older_than',
  'dry_run',
  'outage_timeout_seconds',
  'github_token',
] as const;

export const SWEEP_OUTPUTS = ['deleted', 'pods', 'state', 'reason'] as const;

export type SweepInputName = (typeof SWEEP_INPUTS)[number];
export type SweepOutputName = (typeof SWEEP_OUTPUTS)[number];
