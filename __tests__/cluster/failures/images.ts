import type { V1Pod } from '@kubernetes/client-node';
import type { Scenario } from './scenario.ts';

const waits = (reason: string) => ({
  pod: ({ status }: V1Pod) => status?.containerStatuses?.[0]?.state?.waiting?.reason === reason,
});
const PULL = waits('ErrImagePull');

/** The image is not to be had. */
export const IMAGES: Scenario[] = [
  {
    name: 'The image’s name is invalid',
    inputs: { image: 'Not:An:Image' },
    shownBy: waits('InvalidImageName'),
    expected: {
      title: 'Invalid image name',
      says: 'Not:An:Image is not a valid image name: invalid reference format: repository name (library/Not) must be lowercase. Correct `image`.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The registry has no such image (404)',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/404/app:1` }),
    shownBy: PULL,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image REGISTRY/404/app:1 cannot be pulled: …not found. Check `image`; a private registry needs `registry_username` and `registry_password`, or an image pull secret in `image_pull_secrets` or on the pod’s service account.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The registry wants credentials (401)',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/401/app:1` }),
    shownBy: PULL,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image REGISTRY/401/app:1 cannot be pulled: …401 Unauthorized. Check `image`; a private registry needs `registry_username` and `registry_password`, or an image pull secret in `image_pull_secrets` or on the pod’s service account.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The registry refuses the image (403)',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/403/app:1` }),
    shownBy: PULL,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image REGISTRY/403/app:1 cannot be pulled: …403 Forbidden. Check `image`; a private registry needs `registry_username` and `registry_password`, or an image pull secret in `image_pull_secrets` or on the pod’s service account.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The registry refuses the image, and the pull secret does not exist',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/403/app:1`, image_pull_secrets: 'regcred' }),
    shownBy: PULL,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image REGISTRY/403/app:1 cannot be pulled: …403 Forbidden. Image pull secret "regcred" does not exist in namespace NS; image_pull_secrets[0] asks for it. Create it: kubectl -n NS create secret docker-registry regcred --docker-server=REGISTRY --docker-username=USER --docker-password=PASSWORD',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The registry limits the rate of pulls (429)',
    inOrder: true,
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/429/app:1`, startup_timeout_seconds: '15' }),
    shownBy: PULL,
    takes: 15,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image REGISTRY/429/app:1 could not be pulled within 15 s: …429 Too Many Requests. If the registry only needs more time, raise `startup_timeout_seconds`.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The registry is out of order (503)',
    inOrder: true,
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/503/app:1`, startup_timeout_seconds: '15' }),
    shownBy: PULL,
    takes: 15,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image REGISTRY/503/app:1 could not be pulled within 15 s: …503 Service Unavailable. If the registry only needs more time, raise `startup_timeout_seconds`.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The registry does not answer',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/never/app:1`, startup_timeout_seconds: '6' }),
    takes: 6,
    expected: {
      title: 'The image did not come in time',
      says: 'The container of pod NS/POD did not start within 6 s: pulling image REGISTRY/never/app:1. The image is large, or its registry slow or not to be reached from the node. If it only needs more time, raise `startup_timeout_seconds`.',
      reason: 'StartTimeout',
    },
  },
  {
    name: 'The registry’s port is closed',
    sameMachine: true,
    inputs: { image: '127.0.0.1:1/app:1', startup_timeout_seconds: '15' },
    shownBy: PULL,
    takes: 15,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image 127.0.0.1:1/app:1 could not be pulled within 15 s: …connect: connection refused. If the registry only needs more time, raise `startup_timeout_seconds`.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'There is no such registry',
    inputs: { image: 'registry.invalid/app:1', startup_timeout_seconds: '15' },
    shownBy: PULL,
    takes: 15,
    expected: {
      title: 'Image cannot be pulled',
      says: 'Image registry.invalid/app:1 cannot be pulled: …no such host. Check the registry in `image`, and the name server of the node.',
      reason: 'ImagePull',
    },
  },
  {
    name: 'The image is not on the node, and may not be pulled',
    inputs: { image: 'localhost/nowhere:1', image_pull_policy: 'Never' },
    shownBy: waits('ErrImageNeverPull'),
    expected: {
      title: 'Image not on the node',
      says: 'Image localhost/nowhere:1 is not on node NODE, and image_pull_policy is Never. Use another `image_pull_policy`, or load the image onto the node.',
      reason: 'ImagePull',
    },
  },
];
