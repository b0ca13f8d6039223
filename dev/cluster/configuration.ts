import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Options } from './cluster.ts';
import { program, run } from './command.ts';
import { pauseImage } from './images.ts';
import type { Network } from './network.ts';
import type { Places } from './places.ts';
import { findCniFolder } from './requirements.ts';

/** Writes the files that containerd, the CNI plugins, the kubelet and kube-apiserver read. */
export async function writeConfiguration(places: Places, network: Network, options: Options): Promise<void> {
  const configuration = join(places.state, 'configuration');
  await mkdir(join(configuration, 'cni'), { recursive: true });
  const cni = cniNetwork(places, network);
  await writeFile(join(configuration, 'cni/10-pods.conflist'), JSON.stringify(cni, null, 2));
  await writeFile(join(configuration, 'containerd.toml'), await containerd(places));
  // The kubelet reads YAML, and JSON is YAML.
  await writeFile(
    join(configuration, 'kubelet.json'),
    JSON.stringify(kubeletConfiguration(places, network, options), null, 2),
  );
  if (options.auditPolicy !== undefined) await writeFile(join(configuration, 'audit-policy.yaml'), options.auditPolicy);
}

function cniNetwork(places: Places, network: Network): object {
  // Its own data folder: by default the addresses taken are recorded machine-wide, by the network's name.
  const ranges = [[{ subnet: network.subnet }]];
  const ipam = { type: 'host-local', dataDir: join(places.state, 'addresses'), ranges };
  const bridge = { type: 'bridge', bridge: places.bridge, isGateway: true, ipMasq: false, ipam };
  return { cniVersion: '0.4.0', name: places.bridge, plugins: [bridge] };
}

/** containerd 2 moved the plugin's tables; both versions refuse nothing they do not know, and so silently ignore the other's. */
async function containerd(places: Places): Promise<string> {
  const isVersion2 = / v?2\./.test(await run(program('containerd'), ['--version']));
  const [images, runtime] = isVersion2
    ? ['io.containerd.cri.v1.images', 'io.containerd.cri.v1.runtime']
    : ['io.containerd.grpc.v1.cri', 'io.containerd.grpc.v1.cri'];
  const sandbox = isVersion2 ? `[plugins."${images}".pinned_images]\n  sandbox = "${pauseImage}"` : '';
  const cniFolder = findCniFolder();
  const cniFolders = isVersion2 ? `bin_dirs = ["${cniFolder}"]` : `bin_dir = "${cniFolder}"`;
  // restrict_oom_score_adj: without CAP_SYS_RESOURCE, as in many a container, no sandbox starts otherwise.
  // The opt plugin, runc's Root and the netns setting: each would leave something outside of our folder.
  return `version = ${isVersion2 ? 3 : 2}
root = "${join(places.state, 'containerd/root')}"
state = "${places.containerdState}"
[grpc]
  address = "${places.containerdSocket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${join(places.state, 'containerd/opt')}"
${sandbox}
[plugins."${runtime}"]
  ${isVersion2 ? '' : `sandbox_image = "${pauseImage}"`}
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins."${runtime}".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."${runtime}".containerd.runtimes.runc.options]
  BinaryName = "${program('runc')}"
  Root = "${join(places.state, 'containerd/runc')}"
[plugins."${runtime}".cni]
  ${cniFolders}
  conf_dir = "${join(places.state, 'configuration/cni')}"
`;
}

export function kubeletConfiguration(places: Places, network: Network, options: Options): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true, cacheTTL: '10s' },
      x509: { clientCAFile: join(places.pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(places.pki, 'kubelet-serving.crt'),
    tlsPrivateKeyFile: join(places.pki, 'kubelet-serving.key'),
    address: '127.0.0.1',
    port: network.ports.kubelet,
    healthzPort: 0,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${places.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    // A registry that does not answer holds up its own pods alone, as with most providers of Kubernetes.
    serializeImagePulls: false,
    containerRuntimeEndpoint: `unix://${places.containerdSocket}`,
    enforceNodeAllocatable: [],
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    makeIPTablesUtilChains: false,
    containerLogMaxSize: options.logMaxSize ?? '10Mi',
    containerLogMaxFiles: options.logMaxFiles ?? 5,
    containerLogMonitorInterval: `${options.logMonitorSeconds ?? 3}s`,
    podLogsDir: places.podLogs,
    volumePluginDir: join(places.state, 'volume-plugins'),
    staticPodPath: '',
    clusterDNS: [],
    clusterDomain: 'cluster.local',
    nodeStatusUpdateFrequency: '5s',
    ...options.kubeletSettings,
  };
}
