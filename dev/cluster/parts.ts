import { join } from 'node:path';
import type { Options } from './cluster.ts';
import { program } from './command.ts';
import type { Ports } from './network.ts';
import { nodeName } from './pki.ts';
import type { Places } from './places.ts';

/** The parts of a one-node Kubernetes. */
export const partNames = [
  'etcd',
  'containerd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
] as const;
export type Part = (typeof partNames)[number];

/** The command line of a part. Everything listens on loopback, on ports of this cluster's own. */
export function commandOf(part: Part, places: Places, binaries: string, ports: Ports, options: Options): string[] {
  const pki = (file: string): string => join(places.pki, file);
  const configuration = (file: string): string => join(places.state, 'configuration', file);
  const etcd = `http://127.0.0.1:${ports.etcdClient}`;
  const etcdPeer = `http://127.0.0.1:${ports.etcdPeer}`;
  switch (part) {
    case 'etcd':
      return [
        join(binaries, 'etcd'),
        `--data-dir=${join(places.state, 'etcd')}`,
        `--listen-client-urls=${etcd}`,
        `--advertise-client-urls=${etcd}`,
        `--listen-peer-urls=${etcdPeer}`,
        `--initial-advertise-peer-urls=${etcdPeer}`,
        `--initial-cluster=default=${etcdPeer}`,
        // A killed process loses nothing by this, only a crashed machine would; and an election of one need not take a second.
        '--unsafe-no-fsync',
        '--heartbeat-interval=20',
        '--election-timeout=200',
        '--log-level=warn',
      ];
    case 'containerd':
      return [program('containerd'), '--config', configuration('containerd.toml')];
    case 'kube-apiserver':
      return [
        join(binaries, 'kube-apiserver'),
        `--etcd-servers=${etcd}`,
        `--secure-port=${ports.apiServer}`,
        '--bind-address=127.0.0.1',
        '--advertise-address=127.0.0.1',
        `--client-ca-file=${pki('ca.crt')}`,
        `--tls-cert-file=${pki('kube-apiserver.crt')}`,
        `--tls-private-key-file=${pki('kube-apiserver.key')}`,
        `--cert-dir=${places.pki}`,
        `--kubelet-certificate-authority=${pki('ca.crt')}`,
        `--kubelet-client-certificate=${pki('kube-apiserver-kubelet-client.crt')}`,
        `--kubelet-client-key=${pki('kube-apiserver-kubelet-client.key')}`,
        '--kubelet-preferred-address-types=Hostname',
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${pki('service-account.pub')}`,
        `--service-account-signing-key-file=${pki('service-account.key')}`,
        '--service-cluster-ip-range=10.96.0.0/16',
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--allow-privileged=true',
        '--endpoint-reconciler-type=none',
        ...(options.auditPolicy === undefined
          ? []
          : [
              `--audit-policy-file=${configuration('audit-policy.yaml')}`,
              `--audit-log-path=${join(places.log, 'audit.log')}`,
            ]),
        ...(options.apiServerFlags ?? []),
      ];
    case 'kube-controller-manager':
      return [
        join(binaries, 'kube-controller-manager'),
        ...client(pki('kube-controller-manager.kubeconfig')),
        `--service-account-private-key-file=${pki('service-account.key')}`,
        `--root-ca-file=${pki('ca.crt')}`,
        '--use-service-account-credentials=true',
        '--node-monitor-grace-period=20s',
        // At its default of 20 requests a second its many controllers take 4 seconds to start.
        '--kube-api-qps=500',
        '--kube-api-burst=500',
        ...(options.controllerManagerFlags ?? []),
      ];
    case 'kube-scheduler':
      return [join(binaries, 'kube-scheduler'), ...client(pki('kube-scheduler.kubeconfig'))];
    case 'kubelet':
      return [
        ...(options.systemBus === undefined ? [] : ['env', `DBUS_SYSTEM_BUS_ADDRESS=${options.systemBus}`]),
        join(binaries, 'kubelet'),
        `--config=${configuration('kubelet.json')}`,
        `--kubeconfig=${pki('kubelet.kubeconfig')}`,
        `--root-dir=${places.kubelet}`,
        `--cert-dir=${places.pki}`,
        `--hostname-override=${nodeName}`,
      ];
  }
}

/** One of each, so no leader to elect; no port of their own, as nobody reads their metrics. */
function client(kubeconfig: string): string[] {
  const same = ['--kubeconfig', '--authentication-kubeconfig', '--authorization-kubeconfig'];
  return [...same.map(flag => `${flag}=${kubeconfig}`), '--leader-elect=false', '--secure-port=0'];
}
