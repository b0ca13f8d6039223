import { expect, test } from '@jest/globals';
import { kubeletConfiguration } from '../../../dev/cluster/configuration.ts';
import { placesOf } from '../../../dev/cluster/places.ts';

const network = { subnet: '198.18.0.0/24', ports: { apiServer: 1, etcdClient: 2, etcdPeer: 3, kubelet: 4 } };

test.each([
  [{}, '10Mi', 5, '3s'],
  [{ logMaxSize: '1Mi', logMaxFiles: 3, logMonitorSeconds: 7 }, '1Mi', 3, '7s'],
])('the kubelet rotates logs as %j says', (options, size, files, interval) => {
  expect(kubeletConfiguration(placesOf('rotating'), network, options)).toMatchObject({
    containerLogMaxSize: size,
    containerLogMaxFiles: files,
    containerLogMonitorInterval: interval,
  });
});
