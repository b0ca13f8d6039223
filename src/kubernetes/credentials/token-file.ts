import { readFile } from 'node:fs/promises';
import type { Credential, CredentialSource } from './credential.ts';

/** How long what a file holds is taken to last: it is read again after a minute, as client-go does, and 20 s more where that fails. */
const LIFE_MS = 80_000;

/** A token in a file that somebody writes anew, such as the kubelet does. */
export class TokenFile implements CredentialSource {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  async obtain(): Promise<Credential> {
    const text = await readFile(this.#file, 'utf8').catch(error => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(
        `the token file ${this.#file} ${code === 'ENOENT' ? 'is not there' : `cannot be read: ${message}`}`,
      );
    });
    const token = text.trim();
    if (token === '') throw new Error(`the token file ${this.#file} is empty`);
    return { token, expiresAt: Date.now() + LIFE_MS };
  }
}
