import { brief } from './brief.ts';

/** Those who pass on what a registry said, each before what the next one did: kubelet, CRI, containerd (as of Kubernetes 1.36, containerd 1.6 to 2). */
const PASSED_ON = [
  /^(Back-off pulling|Failed to pull) image "[^"]*": /,
  /^ErrImagePull: /,
  /^rpc error: code = \w+ desc = /,
  /^failed to pull and unpack image "[^"]*": /,
  /^failed to resolve (reference|image)( "[^"]*")?: /,
  /^[\w./:@-]+: (?=not found$)/,
];

/** @returns of the kubelet's account of a failed pull what the registry says, or the way there. */
export function pullFault(message: string): string {
  return brief(PASSED_ON.reduce((rest, words) => rest.replace(words, ''), message));
}
