import type { Rows } from './parameters.ts';

const term = (key: string, value: string) => ({ matchExpressions: [{ key, operator: 'In', values: [value] }] });

/** What each input of the group "Pod" becomes. */
export const POD: Rows = {
  name: [
    ['train', { metadata: { name: 'train-hd11z3pa' } }],
    ['run_python_script', { metadata: { name: 'run-python-script-hd11z3pa' } }],
    ['""', {}],
  ],
  random_name_suffix: [
    ['false', { metadata: { name: 'pod-step' } }],
    [{ random_name_suffix: 'False', name: 'pod-ex-minimum' }, { metadata: { name: 'pod-ex-minimum' } }],
    ['true', {}],
  ],
  labels: [
    ['{pod-label: label-name}', { metadata: { labels: { 'pod-label': 'label-name' } } }],
    [
      '{mount_path: a, host_ip: b, version: 1.10, date: 2020-01-01, on: yes, mode: 0400, n: 1_000, x: 0x10, none: ~, empty: ""}',
      {
        metadata: {
          labels: {
            mount_path: 'a',
            host_ip: 'b',
            version: '1.10',
            date: '2020-01-01',
            on: 'yes',
            mode: '0400',
            n: '1_000',
            x: '0x10',
            none: '',
            empty: '',
          },
        },
      },
    ],
    ['{"app.kubernetes.io/managed-by": helm}', { metadata: { labels: { 'app.kubernetes.io/managed-by': 'helm' } } }],
  ],
  annotations: [
    ['{key1: value1}', { metadata: { annotations: { key1: 'value1' } } }],
    [
      'mount_path: |-\n  a\n  b\nbig: 12345678901234567890\na.b/read_only: true',
      {
        metadata: { annotations: { mount_path: 'a\nb', big: '12345678901234567890', 'a.b/read_only': 'true' } },
      },
    ],
    ['{}', {}],
  ],
  node_selector: [
    [
      '{disktype: ssd, mount_path: 1.10, arm: yes}',
      { spec: { nodeSelector: { disktype: 'ssd', mount_path: '1.10', arm: 'yes' } } },
    ],
    ['{}', {}],
  ],
  affinity: [
    [
      [
        'nodeAffinity:',
        '  preferredDuringSchedulingIgnoredDuringExecution:',
        '  - weight: 1',
        '    preference: {matchExpressions: [{key: disktype, operator: In, values: [ssd]}]}',
        'podAffinity:',
        '  requiredDuringSchedulingIgnoredDuringExecution:',
        '  - labelSelector: {matchExpressions: [{key: security, operator: In, values: [S1]}]}',
        '    topologyKey: failure-domain.beta.kubernetes.io/zone',
      ].join('\n'),
      {
        spec: {
          affinity: {
            nodeAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: term('disktype', 'ssd') }],
            },
            podAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { labelSelector: term('security', 'S1'), topologyKey: 'failure-domain.beta.kubernetes.io/zone' },
              ],
            },
          },
        },
      },
    ],
    [
      [
        'node_affinity:',
        '  required_during_scheduling_ignored_during_execution:',
        '    node_selector_terms:',
        '    - match_expressions: [{key: disk_type, operator: In, values: [ssd]}]',
        '      match_fields: null',
        'pod_anti_affinity:',
        '  preferred_during_scheduling_ignored_during_execution:',
        '  - weight: 100',
        '    pod_affinity_term: {label_selector: {match_labels: {mount_path: S2}}, topology_key: kubernetes.io/hostname, match_label_keys: [a_b]}',
      ].join('\n'),
      {
        spec: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term('disk_type', 'ssd')] },
            },
            podAntiAffinity: {
              preferredDuringSchedulingIgnoredDuringExecution: [
                {
                  weight: 100,
                  podAffinityTerm: {
                    labelSelector: { matchLabels: { mount_path: 'S2' } },
                    topologyKey: 'kubernetes.io/hostname',
                    matchLabelKeys: ['a_b'],
                  },
                },
              ],
            },
          },
        },
      },
    ],
    ['{}', {}],
  ],
  tolerations: [
    [
      '[{key: key, operator: Equal, value: value}]',
      { spec: { tolerations: [{ key: 'key', operator: 'Equal', value: 'value' }] } },
    ],
    [
      '[{key: key, operator: Exists, effect: NoExecute, toleration_seconds: 60, value: null}]',
      { spec: { tolerations: [{ key: 'key', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }] } },
    ],
    ['[{key: a, value: 1.10}]', { spec: { tolerations: [{ key: 'a', value: '1.10' }] } }],
    ['[]', {}],
  ],
  runtime_class_name: [['gvisor', { spec: { runtimeClassName: 'gvisor' } }]],
  priority_class_name: [['medium-test', { spec: { priorityClassName: 'medium-test' } }]],
  schedulername: [['volcano', { spec: { schedulerName: 'volcano' } }]],
  service_account_name: [['builder', { spec: { serviceAccountName: 'builder' } }]],
  automount_service_account_token: [
    ['false', { spec: { automountServiceAccountToken: false } }],
    ['True', { spec: { automountServiceAccountToken: true } }],
  ],
  hostnetwork: [
    ['true', { spec: { hostNetwork: true } }],
    ['False', { spec: { hostNetwork: false } }],
  ],
  host_aliases: [
    [
      '[{ip: 10.0.0.1, hostnames: [db, db.example.com]}]',
      { spec: { hostAliases: [{ ip: '10.0.0.1', hostnames: ['db', 'db.example.com'] }] } },
    ],
    ['[]', {}],
  ],
  hostname: [['box', { spec: { hostname: 'box' } }]],
  subdomain: [['boxes', { spec: { subdomain: 'boxes' } }]],
  dnspolicy: [['ClusterFirstWithHostNet', { spec: { dnsPolicy: 'ClusterFirstWithHostNet' } }]],
  dns_config: [
    [
      '{nameservers: [1.1.1.1], searches: [a.local], options: [{name: ndots, value: 2}, {name: edns0}]}',
      {
        spec: {
          dnsConfig: {
            nameservers: ['1.1.1.1'],
            searches: ['a.local'],
            options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
          },
        },
      },
    ],
    ['{}', {}],
  ],
  security_context: [
    [
      '{run_as_user: 1000, run_as_group: 1000, fs_group: 2000, fs_group_change_policy: OnRootMismatch, supplemental_groups: [3000], se_linux_options: {level: "s0"}, seccomp_profile: {type: RuntimeDefault}, sysctls: [{name: net.core.somaxconn, value: 1024}]}',
      {
        spec: {
          securityContext: {
            runAsUser: 1000,
            runAsGroup: 1000,
            fsGroup: 2000,
            fsGroupChangePolicy: 'OnRootMismatch',
            supplementalGroups: [3000],
            seLinuxOptions: { level: 's0' },
            seccompProfile: { type: 'RuntimeDefault' },
            sysctls: [{ name: 'net.core.somaxconn', value: '1024' }],
          },
        },
      },
    ],
    ['{runAsNonRoot: true}', { spec: { securityContext: { runAsNonRoot: true } } }],
    ['{}', {}],
  ],
  termination_grace_period: [
    ['5', { spec: { terminationGracePeriodSeconds: 5 } }],
    ['0', { spec: { terminationGracePeriodSeconds: 0 } }],
  ],
  active_deadline_seconds: [
    ['3600', { spec: { activeDeadlineSeconds: 3600 } }],
    ['null', {}],
  ],
};
