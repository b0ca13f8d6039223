import type { V1ContainerStateTerminated } from '@kubernetes/client-node';

/** @returns e.g. `45 s`, `2 min`, `1 h 30 min`: whole minutes from two minutes on. */
export function inWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`;
}

/** @returns ` after 4 s`, or nothing where it took less than one, or the times are not known (a start error's are 1970). */
export function duration({ startedAt, finishedAt }: V1ContainerStateTerminated): string {
  const seconds = secondsBetween(startedAt, finishedAt);
  return seconds ? ` after ${seconds} s` : '';
}

/** @returns whole seconds, as the API's times have them. */
export function secondsBetween(start: Date | string | undefined, end: Date | string | undefined): number | undefined {
  if (start === undefined || end === undefined) return undefined;
  const [from, to] = [new Date(start).getTime(), new Date(end).getTime()];
  return from > 0 && to >= from ? Math.round((to - from) / 1000) : undefined;
}
