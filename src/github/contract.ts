/** The names in `action.yml`, which a test holds against the file: the action cannot afford to parse it at each start. */
export const INPUTS = [
  'kubeconfig',
  'config_file',
  'cluster_context',
  'namespace',
  'image',
  'image_pull_policy',
  'cmds',
  'arguments',
  'env_vars',
  'secrets',
  'container_resources',
  'name',
  'random_name_suffix',
  'labels',
  'annotations',
  'service_account_name',
  'active_deadline_seconds',
  'get_logs',
  'do_xcom_push',
  'on_finish_action',
] as const;

export const OUTPUTS = [
  'pod_name',
  'pod_namespace',
  'pod_uid',
  'node_name',
  'image_id',
  'state',
  'exit_code',
  'reason',
  'result',
  'started_at',
  'finished_at',
  'duration_seconds',
] as const;

export type InputName = (typeof INPUTS)[number];
export type OutputName = (typeof OUTPUTS)[number];
