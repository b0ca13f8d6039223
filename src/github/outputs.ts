import * as core from '@actions/core';
import type { OutputName } from './contract.ts';
import type { SweepOutputName } from './sweep-contract.ts';

/** What `multiple_outputs` makes an output of; it has been checked that it can be one. */
type KeyOfResult = string & {};

/**
 * Sets an output of the step, at once: what is known survives a crash. Setting one again replaces its value.
 * Without `GITHUB_OUTPUT`, so outside a workflow, nothing happens: core's fallback is a command on stdout, which belongs to the job log alone.
 */
export function setOutput(name: OutputName | SweepOutputName | KeyOfResult, value: string | number): void {
  if (process.env['GITHUB_OUTPUT']) core.setOutput(name, String(value));
}
