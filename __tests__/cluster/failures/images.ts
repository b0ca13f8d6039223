import type { V1Pod } from '@kubernetes/client-node';
import type { Scenario } from './scenario.ts';

const waits = (reason: string) => ({
  pod: ({ status }: V1Pod) => status?.containerStatuses?.[0]?.state?.waiting?.reason === reason,
});
const PULL = waits('ErrImagePull');
const CANNOT = 'Image cannot be pulled';

/** The image is not to be had. */
export const IMAGES: Scenario[] = [
  {
    name: 'The image’s name is invalid',
    inputs: { image: 'Not:An:Image' },
    shownBy: waits('InvalidImageName'),
    expected: { title: 'Invalid image name', says: '', reason: 'ImagePull' },
  },
  {
    name: 'The registry has no such image (404)',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/404/app:1` }),
    shownBy: PULL,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'The registry wants credentials (401)',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/401/app:1` }),
    shownBy: PULL,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'The registry refuses the image (403)',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/403/app:1` }),
    shownBy: PULL,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'The registry refuses the image, and the pull secret does not exist',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/403/app:1`, image_pull_secrets: 'regcred' }),
    shownBy: PULL,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'The registry limits the rate of pulls (429)',
    inOrder: true,
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/429/app:1`, startup_timeout_seconds: '15' }),
    shownBy: PULL,
    takes: 15,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'The registry is out of order (503)',
    inOrder: true,
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/503/app:1`, startup_timeout_seconds: '15' }),
    shownBy: PULL,
    takes: 15,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'The registry does not answer',
    sameMachine: true,
    inputs: ({ registry }) => ({ image: `${registry}/never/app:1`, startup_timeout_seconds: '6' }),
    takes: 6,
    expected: { title: 'The container did not start', says: '', reason: 'StartTimeout' },
  },
  {
    name: 'The registry’s port is closed',
    sameMachine: true,
    inputs: { image: '127.0.0.1:1/app:1', startup_timeout_seconds: '15' },
    shownBy: PULL,
    takes: 15,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'There is no such registry',
    inputs: { image: 'registry.invalid/app:1', startup_timeout_seconds: '15' },
    shownBy: PULL,
    takes: 15,
    expected: { title: CANNOT, says: '', reason: 'ImagePull' },
  },
  {
    name: 'The image is not on the node, and may not be pulled',
    inputs: { image: 'localhost/nowhere:1', image_pull_policy: 'Never' },
    shownBy: waits('ErrImageNeverPull'),
    expected: { title: 'Image not on the node', says: '', reason: 'ImagePull' },
  },
];
