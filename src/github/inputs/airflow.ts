export interface AirflowParameter {
  /** Nothing is lost without it, a notice is enough. The others meant something that the workflow now has to say in another way. */
  harmless: boolean;
  say: string;
}

/** Parameters of Airflow's operators that people bring along and that are no inputs here. */
export const AIRFLOW_PARAMETERS: Record<string, AirflowParameter> = {
  ...harmless('the step and its id take its place', [
    'task_id',
    'dag',
    'dag_id',
    'task_group',
    'owner',
    'doc',
    'doc_md',
  ]),
  ...harmless('the cluster is named by kubeconfig, config_file or cluster_context', ['kubernetes_conn_id']),
  ...harmless('the pod is watched, not polled', [
    'startup_check_interval_seconds',
    'base_container_status_polling_interval',
    'poll_interval',
    'logging_interval',
    'job_poll_interval',
    'trigger_kwargs',
  ]),
  ...harmless('the delay between tries always grows', ['retry_exponential_backoff']),
  ...harmless('a workflow has its own notifications', ['email', 'email_on_failure', 'email_on_retry']),
  ...meaningful({
    durable: 'it is called reattach_on_restart.',
    retry_delay: 'it is called retry_delay_seconds here: give it in seconds.',
    max_retry_delay: 'the delay between tries grows to an hour at most.',
    callbacks:
      'there are no callbacks. Steps before and after this one take their place; `if: always()` runs one in any case.',
    progress_callback: 'there are no callbacks. A problem matcher of the workflow acts on lines of the log.',
    log_formatter: 'lines are shown as the container writes them. Leave it out.',
    connection_secrets:
      'there are no Airflow connections. Use secrets for Kubernetes Secrets, or secret_env and secret_files for secrets of the workflow.',
    execution_timeout: 'use timeout-minutes of the step, and active_deadline_seconds for the pod.',
    trigger_rule: 'use `if:` of the step or the job.',
    depends_on_past: 'use `concurrency:` of the workflow.',
    wait_for_downstream: 'use `concurrency:` of the workflow.',
    pool: 'use `concurrency:` of the workflow, or max-parallel of a matrix.',
    pool_slots: 'use `concurrency:` of the workflow, or max-parallel of a matrix.',
    max_active_tis_per_dag: 'use `concurrency:` of the workflow, or max-parallel of a matrix.',
    priority_weight: 'use priority_class_name.',
    queue: 'use node_selector, or labels of your queueing system.',
    executor_config: 'the pod is what the inputs and pod_template_file say.',
    on_failure_callback: 'use a step with `if: failure()`.',
    on_success_callback: 'use a step after this one.',
    on_retry_callback: 'use a step after this one.',
    on_execute_callback: 'use a step before this one.',
    sla: 'use timeout-minutes of the job.',
    params: 'use `inputs:` of the workflow, and template_vars for a template file.',
    inlets: 'there are no assets. Leave it out.',
    outlets: 'there are no assets. Leave it out.',
    cluster_name: 'name the cluster by a kubeconfig; cloud logins are steps of their own.',
    config_dict: 'use kubeconfig.',
    pod: 'use full_pod_spec.',
    node_selectors: 'it is called node_selector.',
    xcom_push: 'it is called do_xcom_push.',
    entrypoint: 'it is called cmds.',
    command: 'it is called cmds.',
    args: 'it is called arguments.',
    env: 'it is called env_vars.',
    container_name: 'it is called base_container_name.',
    service_account: 'it is called service_account_name.',
    affinities: 'it is called affinity.',
    host_network: 'it is called hostnetwork.',
    dns_policy: 'it is called dnspolicy.',
    scheduler_name: 'it is called schedulername.',
    job_template_file: 'jobs are not made here. Use pod_template_file.',
    full_job_spec: 'jobs are not made here. Use full_pod_spec.',
    parallelism: 'use a matrix.',
    completions: 'use a matrix.',
    backoff_limit: 'a step runs once. Re-run the failed jobs, or use a matrix.',
  }),
};

function harmless(say: string, names: string[]) {
  return Object.fromEntries(names.map(name => [name, { harmless: true, say: `has no meaning here: ${say}.` }]));
}

function meaningful(says: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(says).map(([name, say]) => [
      name,
      { harmless: false, say: `this action has no such input: ${say}` },
    ]),
  );
}
