import type { Rows } from './parameters.ts';

const env = (name: string, value: string) => ({ name, value });
const secretKeyRef = (name: string, key: string) => ({ secretKeyRef: { name, key } });

/** What each input of the group "Container" becomes. */
export const CONTAINER: Rows = {
  image: [
    ['python:3.13-slim', { container: { image: 'python:3.13-slim' } }],
    [' localhost:5000/a/b@sha256:0123 \n', { container: { image: 'localhost:5000/a/b@sha256:0123' } }],
  ],
  image_pull_policy: [
    ['Always', { container: { imagePullPolicy: 'Always' } }],
    ['null', {}],
  ],
  image_pull_secrets: [
    ['regcred', { spec: { imagePullSecrets: [{ name: 'regcred' }] } }],
    ['a,b', { spec: { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] } }],
    ['a, b', { spec: { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] } }],
    ['[a, b]', { spec: { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] } }],
    ['- name: a\n- name: b', { spec: { imagePullSecrets: [{ name: 'a' }, { name: 'b' }] } }],
    ['[{name: 1.10}]', { spec: { imagePullSecrets: [{ name: '1.10' }] } }],
    ['[]', {}],
  ],
  registry_username: [
    [
      { registry_username: 'octo', registry_password: 'hunter2' },
      { spec: { imagePullSecrets: [{ name: 'pod-step-hd11z3pa-registry-kctx7tmw' }] } },
    ],
  ],
  registry_password: [
    [
      { registry_username: 'octo', registry_password: 'hunter2', image_pull_secrets: 'a' },
      { spec: { imagePullSecrets: [{ name: 'a' }, { name: 'pod-step-hd11z3pa-registry-kctx7tmw' }] } },
    ],
  ],
  registry: [
    [
      { registry_username: 'octo', registry_password: 'hunter2', registry: 'ghcr.io' },
      { spec: { imagePullSecrets: [{ name: 'pod-step-hd11z3pa-registry-kctx7tmw' }] } },
    ],
  ],
  cmds: [
    ['[python, -c]', { container: { command: ['python', '-c'] } }],
    ['python -m "my module"', { container: { command: ['python', '-m', 'my module'] } }],
    ["['sh', '-c', 'echo \"$HOME\"']", { container: { command: ['sh', '-c', 'echo "$HOME"'] } }],
    [
      '[sleep, 1.10, 0400, yes, 2020-01-01]',
      { container: { command: ['sleep', '1.10', '0400', 'yes', '2020-01-01'] } },
    ],
    ['[]', { container: { command: [] } }],
    ['""', { container: { command: [''] } }],
    ['null', {}],
  ],
  arguments: [
    ["[print('Hello from Kubernetes!')]", { container: { args: ["print('Hello from Kubernetes!')"] } }],
    ['-l $(NAME) ${HOME}', { container: { args: ['-l', '$(NAME)', '${HOME}'] } }],
    ['[echo, "10"]', { container: { args: ['echo', '10'] } }],
    ['[]', { container: { args: [] } }],
  ],
  working_dir: [['/srv/app', { container: { workingDir: '/srv/app' } }]],
  env_vars: [
    [
      '{MY_VALUE: /example/value, N: 1.10}',
      { container: { env: [env('MY_VALUE', '/example/value'), env('N', '1.10')] } },
    ],
    ['A=1\nB=x y', { container: { env: [env('A', '1'), env('B', 'x y')] } }],
    ['[{name: A, value: "1"}]', { container: { env: [env('A', '1')] } }],
    [
      '[{name: A, value_from: {secret_key_ref: {name: db, key: user_name}}}]',
      { container: { env: [{ name: 'A', valueFrom: secretKeyRef('db', 'user_name') }] } },
    ],
    [
      '[{name: A, value_from: {config_map_key_ref: {name: c, key: k, optional: true}}}, {name: B, valueFrom: {fieldRef: {fieldPath: "metadata.labels[\'mount_path\']"}}}]',
      {
        container: {
          env: [
            { name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k', optional: true } } },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: "metadata.labels['mount_path']" } } },
          ],
        },
      },
    ],
    ['{mount_path: a, value_from: b}', { container: { env: [env('mount_path', 'a'), env('value_from', 'b')] } }],
    ['{JSON: "{\\"a\\": [1]}"}', { container: { env: [env('JSON', '{"a": [1]}')] } }],
    ['{}', {}],
    ['[]', {}],
  ],
  env_from: [
    [
      '[{configMapRef: {name: a}}, {secret_ref: {name: b, optional: true}, prefix: B_}]',
      {
        container: {
          envFrom: [{ configMapRef: { name: 'a' } }, { secretRef: { name: 'b', optional: true }, prefix: 'B_' }],
        },
      },
    ],
    ['[]', {}],
  ],
  configmaps: [
    [
      '[test-configmap-1, test-configmap-2]',
      {
        container: {
          envFrom: [{ configMapRef: { name: 'test-configmap-1' } }, { configMapRef: { name: 'test-configmap-2' } }],
        },
      },
    ],
    ['a,b', { container: { envFrom: [{ configMapRef: { name: 'a' } }, { configMapRef: { name: 'b' } }] } }],
    ['[]', {}],
  ],
  secrets: [
    [
      '[{deploy_type: env, deploy_target: SQL_CONN, secret: airflow-secrets, key: sql_alchemy_conn}]',
      { container: { env: [{ name: 'SQL_CONN', valueFrom: secretKeyRef('airflow-secrets', 'sql_alchemy_conn') }] } },
    ],
    [
      '[{deploy_type: env, deploy_target: null, secret: airflow-secrets-2}]',
      { container: { envFrom: [{ secretRef: { name: 'airflow-secrets-2' } }] } },
    ],
    [
      '[{deploy_type: volume, deploy_target: /var/secrets/google, secret: service-account, key: service-account.json}]',
      {
        spec: {
          volumes: [
            {
              name: 'secret-qkxmjyb0',
              secret: {
                secretName: 'service-account',
                items: [{ key: 'service-account.json', path: 'service-account.json' }],
              },
            },
          ],
        },
        container: { volumeMounts: [{ name: 'secret-qkxmjyb0', mountPath: '/var/secrets/google', readOnly: true }] },
      },
    ],
    ['[]', {}],
  ],
  secret_env: [
    [
      'API_TOKEN=hunter2\nOTHER=x',
      {
        container: {
          env: [
            { name: 'API_TOKEN', valueFrom: secretKeyRef('pod-step-hd11z3pa-env-kctx7tmw', 'API_TOKEN') },
            { name: 'OTHER', valueFrom: secretKeyRef('pod-step-hd11z3pa-env-kctx7tmw', 'OTHER') },
          ],
        },
      },
    ],
    ['{}', {}],
  ],
  secret_files: [
    [
      '{/etc/app/key.json: {content: hunter2, mode: 0400}}',
      {
        spec: {
          volumes: [
            {
              name: 'secret-files-ldu18s6s',
              secret: {
                secretName: 'pod-step-hd11z3pa-files-kctx7tmw',
                defaultMode: 0o444,
                items: [{ key: 'file-0', path: 'file-0', mode: 0o400 }],
              },
            },
          ],
        },
        container: {
          volumeMounts: [
            { name: 'secret-files-ldu18s6s', mountPath: '/etc/app/key.json', subPath: 'file-0', readOnly: true },
          ],
        },
      },
    ],
    ['{}', {}],
  ],
  pod_runtime_info_envs: [
    [
      '[{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]',
      { container: { env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] } },
    ],
    [
      '[{name: POD_IP, value_from: {field_ref: {field_path: status.podIP}}}]',
      { container: { env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] } },
    ],
    [
      '[{name: POD_IP, field_path: status.podIP}]',
      { container: { env: [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }] } },
    ],
    [
      '[{name: MEMORY, value_from: {resource_field_ref: {resource: limits.memory, container_name: base}}}]',
      {
        container: {
          env: [
            {
              name: 'MEMORY',
              valueFrom: { resourceFieldRef: { resource: 'limits.memory', containerName: 'base' } },
            },
          ],
        },
      },
    ],
    ['[]', {}],
  ],
  ports: [
    ['[{containerPort: 80}]', { container: { ports: [{ containerPort: 80 }] } }],
    [
      '[{name: http, container_port: 80, host_port: 8080, host_ip: 127.0.0.1, protocol: UDP}]',
      {
        container: {
          ports: [{ name: 'http', containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1', protocol: 'UDP' }],
        },
      },
    ],
    ['[]', {}],
  ],
  volumes: [
    [
      '[{name: data, persistentVolumeClaim: {claimName: data-pvc}}]',
      { spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-pvc' } }] } },
    ],
    [
      '[{name: data-volume, configs: {persistentVolumeClaim: {claimName: data-pvc}}}]',
      { spec: { volumes: [{ name: 'data-volume', persistentVolumeClaim: { claimName: 'data-pvc' } }] } },
    ],
    [
      '[{name: data, persistent_volume_claim: {claim_name: c, read_only: true}}, {name: tmp, empty_dir: {size_limit: 1Gi, medium: Memory}}, {name: e, emptyDir: {}}]',
      {
        spec: {
          volumes: [
            { name: 'data', persistentVolumeClaim: { claimName: 'c', readOnly: true } },
            { name: 'tmp', emptyDir: { sizeLimit: '1Gi', medium: 'Memory' } },
            { name: 'e', emptyDir: {} },
          ],
        },
      },
    ],
    [
      '[{name: c, config_map: {name: settings, default_mode: 0400, items: [{key: mount_path, path: a, mode: 0o644}]}}]',
      {
        spec: {
          volumes: [
            {
              name: 'c',
              configMap: {
                name: 'settings',
                defaultMode: 256,
                items: [{ key: 'mount_path', path: 'a', mode: 420 }],
              },
            },
          ],
        },
      },
    ],
    [
      '[{name: c, csi: {driver: d.example.com, volume_attributes: {mount_path: 1.10, read_only: "true", size: 1_000}}}]',
      {
        spec: {
          volumes: [
            {
              name: 'c',
              csi: {
                driver: 'd.example.com',
                volumeAttributes: { mount_path: '1.10', read_only: 'true', size: '1_000' },
              },
            },
          ],
        },
      },
    ],
    [
      '[{name: p, projected: {sources: [{service_account_token: {path: t, expiration_seconds: 3600}}, {downward_api: {items: [{path: l, field_ref: {field_path: metadata.labels}}]}}]}}]',
      {
        spec: {
          volumes: [
            {
              name: 'p',
              projected: {
                sources: [
                  { serviceAccountToken: { path: 't', expirationSeconds: 3600 } },
                  { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
                ],
              },
            },
          ],
        },
      },
    ],
    [
      '[{name: h, host_path: {path: /srv, type: Directory}}]',
      { spec: { volumes: [{ name: 'h', hostPath: { path: '/srv', type: 'Directory' } }] } },
    ],
    [
      '[{name: n, newVolumeKind: {some_field: 1, deepField: yes}}]',
      { spec: { volumes: [{ name: 'n', newVolumeKind: { some_field: 1, deepField: 'yes' } } as never] } },
    ],
    ['[]', {}],
  ],
  volume_mounts: [
    [
      {
        volume_mounts: '[{name: test-volume, mount_path: /root/mount_file, sub_path: null, read_only: true}]',
        volumes: '[{name: test-volume, emptyDir: {}}]',
      },
      {
        spec: { volumes: [{ name: 'test-volume', emptyDir: {} }] },
        container: { volumeMounts: [{ name: 'test-volume', mountPath: '/root/mount_file', readOnly: true }] },
      },
    ],
    [
      {
        volume_mounts:
          '[{name: v, mountPath: /a, subPath: x/y, mount_propagation: None, sub_path_expr: null, recursive_read_only: Disabled}]',
        volumes: '[{name: v, emptyDir: {}}]',
      },
      {
        spec: { volumes: [{ name: 'v', emptyDir: {} }] },
        container: {
          volumeMounts: [
            { name: 'v', mountPath: '/a', subPath: 'x/y', mountPropagation: 'None', recursiveReadOnly: 'Disabled' },
          ],
        },
      },
    ],
    ['[]', {}],
  ],
  container_resources: [
    [
      '{requests: {cpu: 1000m, memory: 10G, ephemeral-storage: 10G}, limits: {cpu: 1000m, memory: 10G, ephemeral-storage: 10G}}',
      {
        container: {
          resources: {
            requests: { cpu: '1000m', memory: '10G', 'ephemeral-storage': '10G' },
            limits: { cpu: '1000m', memory: '10G', 'ephemeral-storage': '10G' },
          },
        },
      },
    ],
    [
      '{request_memory: 512Mi, limit_memory: 1Gi, request_cpu: 500m, limit_cpu: "1"}',
      {
        container: {
          resources: { requests: { memory: '512Mi', cpu: '500m' }, limits: { memory: '1Gi', cpu: '1' } },
        },
      },
    ],
    [
      '{limit_gpu: 1, limit_ephemeral_storage: 2Gi, request_ephemeral_storage: 1Gi, request_cpu: null}',
      {
        container: {
          resources: {
            limits: { 'nvidia.com/gpu': '1', 'ephemeral-storage': '2Gi' },
            requests: { 'ephemeral-storage': '1Gi' },
          },
        },
      },
    ],
    [
      '{limits: {cpu: 0.5, memory: 1e9, nvidia.com/gpu: 1}}',
      { container: { resources: { limits: { cpu: '0.5', memory: '1e9', 'nvidia.com/gpu': '1' } } } },
    ],
    ['{claims: [{name: gpu, request: a}]}', { container: { resources: { claims: [{ name: 'gpu', request: 'a' }] } } }],
    ['{limits: {}}', { container: { resources: { limits: {} } } }],
    ['{}', {}],
    ['null', {}],
  ],
  container_security_context: [
    [
      '{run_as_user: 1000, run_as_non_root: true, allow_privilege_escalation: false, read_only_root_filesystem: true, capabilities: {drop: [ALL]}}',
      {
        container: {
          securityContext: {
            runAsUser: 1000,
            runAsNonRoot: true,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      },
    ],
    [
      '{privileged: false, seLinuxOptions: {level: "s0:c1,c2"}, seccomp_profile: {type: RuntimeDefault}, app_armor_profile: {type: Localhost, localhost_profile: p}, proc_mount: Default}',
      {
        container: {
          securityContext: {
            privileged: false,
            seLinuxOptions: { level: 's0:c1,c2' },
            seccompProfile: { type: 'RuntimeDefault' },
            appArmorProfile: { type: 'Localhost', localhostProfile: 'p' },
            procMount: 'Default',
          },
        },
      },
    ],
    ['{}', {}],
  ],
  termination_message_policy: [
    ['FallbackToLogsOnError', { container: { terminationMessagePolicy: 'FallbackToLogsOnError' } }],
  ],
  base_container_name: [['apple-sauce', { container: { name: 'apple-sauce' } }]],
  init_containers: [
    [
      '[{name: init, image: busybox, command: [bash, -cx], args: [echo 10], env: [{name: A, value: 1.10}], volume_mounts: [{name: v, mount_path: /v}]}]',
      {
        spec: {
          initContainers: [
            {
              name: 'init',
              image: 'busybox',
              command: ['bash', '-cx'],
              args: ['echo 10'],
              env: [{ name: 'A', value: '1.10' }],
              volumeMounts: [{ name: 'v', mountPath: '/v' }],
            },
          ],
          volumes: [{ name: 'v', emptyDir: {} }],
        },
      },
      { volumes: '[{name: v, emptyDir: {}}]' },
    ],
    [
      [
        '- name: proxy',
        '  image: proxy',
        '  restart_policy: Always',
        '  image_pull_policy: Never',
        '  startup_probe: {_exec: {command: [ls]}, failure_threshold: 30, period_seconds: 1}',
        '  readiness_probe: {http_get: {path: /ok, port: 8080, http_headers: [{name: X, value: yes}]}}',
        '  liveness_probe: {tcp_socket: {port: http}}',
        '  lifecycle: {pre_stop: {_exec: {command: [sleep, 0.10]}}, post_start: {http_get: {port: http}}}',
        '  security_context: {run_as_user: 0}',
        '  termination_message_policy: FallbackToLogsOnError',
        '  working_dir: /srv',
        '  env_from: [{config_map_ref: {name: c}}]',
        '  resources: {limits: {memory: 32Mi}}',
      ].join('\n'),
      {
        spec: {
          initContainers: [
            {
              name: 'proxy',
              image: 'proxy',
              restartPolicy: 'Always',
              imagePullPolicy: 'Never',
              startupProbe: { exec: { command: ['ls'] }, failureThreshold: 30, periodSeconds: 1 },
              readinessProbe: { httpGet: { path: '/ok', port: 8080, httpHeaders: [{ name: 'X', value: 'yes' }] } },
              livenessProbe: { tcpSocket: { port: 'http' } },
              lifecycle: {
                preStop: { exec: { command: ['sleep', '0.10'] } },
                postStart: { httpGet: { port: 'http' } },
              },
              securityContext: { runAsUser: 0 },
              terminationMessagePolicy: 'FallbackToLogsOnError',
              workingDir: '/srv',
              envFrom: [{ configMapRef: { name: 'c' } }],
              resources: { limits: { memory: '32Mi' } },
            },
          ],
        },
      },
    ],
    ['[]', {}],
  ],
};
