import { mkdirSync, rmSync } from 'node:fs';
import { type Cluster, localImages, type Report } from './cluster.ts';
import { attempt, findProgram, program, run } from './command.ts';
import { writeImages } from './images.ts';
import { withLock } from './lock.ts';
import { type Places, placesOf } from './places.ts';
import { readRecord, writeRecord } from './record.ts';

/** Kubernetes in Docker, where both are there. */

export async function isPossible(): Promise<boolean> {
  if (findProgram('kind') === undefined || findProgram('docker') === undefined) return false;
  return (await attempt('docker', ['info'])).code === 0;
}

export async function up(name: string, report: Report): Promise<Cluster> {
  const places = placesOf(name);
  return await withLock(
    places.state,
    () => report(`waiting for another process at work on cluster ${name}`),
    async () => {
      const started = !(await isUp(name));
      if (started) {
        report(`creating the kind cluster ${kindName(places)}`);
        await remove(places);
        const archive = await writeImages(report);
        mkdirSync(places.state, { recursive: true, mode: 0o700 });
        writeRecord(places, { provider: 'kind' });
        const cluster = ['--name', kindName(places)];
        // Which Kubernetes: CI runs the tests on several.
        const image = process.env['POD_STEP_TEST_KIND_IMAGE'];
        const node = image ? ['--image', image] : [];
        await kind(['create', 'cluster', ...cluster, ...node, '--kubeconfig', places.kubeconfig, '--wait', '120s']);
        await kind(['load', 'image-archive', ...cluster, archive]);
      }
      const { kubeconfig } = places;
      return { name, provider: 'kind', kubeconfig, started, images: localImages, kubectl: findProgram('kubectl') };
    },
  );
}

export async function down(name: string, report: Report): Promise<void> {
  const places = placesOf(name);
  await withLock(
    places.state,
    () => {},
    () => remove(places),
  );
  report(`the kind cluster ${kindName(places)} is gone`);
}

export async function isUp(name: string): Promise<boolean> {
  const places = placesOf(name);
  if (readRecord(places)?.provider !== 'kind') return false;
  const clusters = await attempt(program('kind'), ['get', 'clusters']);
  return clusters.stdout.split('\n').includes(kindName(places));
}

/** Names our kubeconfig: kind would take the cluster out of the user's own otherwise. */
async function remove(places: Places): Promise<void> {
  await kind(['delete', 'cluster', '--name', kindName(places), '--kubeconfig', places.kubeconfig]);
  rmSync(places.state, { recursive: true, force: true });
}

async function kind(args: string[]): Promise<void> {
  await run(program('kind'), args);
}

function kindName(places: Places): string {
  return `kubernetes-pod-step-${places.name}`;
}
