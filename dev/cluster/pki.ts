import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { program, run } from './command.ts';
import type { Places } from './places.ts';

/** The node's name. `localhost` keeps the API server's way to the kubelet on loopback: it goes by the node's host name. */
export const nodeName = 'localhost';

interface Leaf {
  subject: string;
  usage: 'serverAuth' | 'clientAuth';
  names?: string;
}

const leaves: Record<string, Leaf> = {
  'kube-apiserver': {
    subject: '/CN=kube-apiserver',
    usage: 'serverAuth',
    names: 'DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1',
  },
  'kube-apiserver-kubelet-client': {
    subject: '/O=system:masters/CN=kube-apiserver-kubelet-client',
    usage: 'clientAuth',
  },
  admin: { subject: '/O=system:masters/CN=admin', usage: 'clientAuth' },
  'kube-controller-manager': { subject: '/CN=system:kube-controller-manager', usage: 'clientAuth' },
  'kube-scheduler': { subject: '/CN=system:kube-scheduler', usage: 'clientAuth' },
  kubelet: { subject: `/O=system:nodes/CN=system:node:${nodeName}`, usage: 'clientAuth' },
  'kubelet-serving': {
    subject: `/O=system:nodes/CN=system:node:${nodeName}`,
    usage: 'serverAuth',
    names: `DNS:${nodeName},IP:127.0.0.1`,
  },
};

/** Makes a CA, a certificate for each part and a kubeconfig for each client. Elliptic keys: RSA ones take a second more. */
export async function createPki(places: Places, apiServerPort: number): Promise<void> {
  await mkdir(places.pki, { recursive: true, mode: 0o700 });
  const openssl = program('openssl');
  const at = (file: string): string => join(places.pki, file);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  // A configuration of our own: the system's would make every certificate a CA.
  await writeFile(at('openssl.cnf'), '[req]\ndistinguished_name = dn\n[dn]\n');
  const request = ['req', '-x509', '-config', at('openssl.cnf'), '-days', '365', ...key];

  const authority = ['-keyout', at('ca.key'), '-out', at('ca.crt'), '-subj', `/CN=pod-step-${places.name}`];
  const caUse = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  await run(openssl, [...request, ...authority, ...caUse]);

  const certificates = Object.entries(leaves).map(([name, leaf]) => {
    const names = leaf.names === undefined ? [] : ['-addext', `subjectAltName=${leaf.names}`];
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.crt`), '-subj', leaf.subject];
    const use = ['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', `extendedKeyUsage=${leaf.usage}`];
    return run(openssl, [...request, '-CA', at('ca.crt'), '-CAkey', at('ca.key'), ...files, ...use, ...names]);
  });
  await Promise.all([...certificates, serviceAccountKey(openssl, at)]);

  for (const client of ['kube-controller-manager', 'kube-scheduler', 'kubelet']) {
    await writeKubeconfig(places, client, apiServerPort, at(`${client}.kubeconfig`));
  }
  await writeKubeconfig(places, 'admin', apiServerPort, places.kubeconfig);
}

async function serviceAccountKey(openssl: string, at: (file: string) => string): Promise<void> {
  await run(openssl, ['ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', at('service-account.key')]);
  await run(openssl, ['ec', '-in', at('service-account.key'), '-pubout', '-out', at('service-account.pub')]);
}

async function writeKubeconfig(places: Places, user: string, port: number, path: string): Promise<void> {
  const base64 = async (file: string): Promise<string> => (await readFile(join(places.pki, file))).toString('base64');
  const cluster = `pod-step-${places.name}`;
  await writeFile(
    path,
    `apiVersion: v1
kind: Config
clusters:
- name: ${cluster}
  cluster:
    server: https://127.0.0.1:${port}
    certificate-authority-data: ${await base64('ca.crt')}
users:
- name: ${user}
  user:
    client-certificate-data: ${await base64(`${user}.crt`)}
    client-key-data: ${await base64(`${user}.key`)}
contexts:
- name: ${cluster}
  context:
    cluster: ${cluster}
    user: ${user}
current-context: ${cluster}
`,
    { mode: 0o600 },
  );
}
