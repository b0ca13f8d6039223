import * as core from '@actions/core';
import type { OutputName } from './contract.ts';

/**
 * Sets an output of the step, at once: what is known survives a crash. Setting one again replaces its value.
 * Without `GITHUB_OUTPUT`, so outside a workflow, nothing happens: core's fallback is a command on stdout, which belongs to the job log alone.
 */
export function setOutput(name: OutputName, value: string | number): void {
  if (process.env['GITHUB_OUTPUT']) core.setOutput(name, String(value));
}
