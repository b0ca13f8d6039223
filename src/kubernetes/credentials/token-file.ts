import { readFile } from 'node:fs/promises';
import { pause } from '../pause.ts';
import type { Credential, CredentialSource } from './credential.ts';

/** How long what a file holds is taken to last: it is read again after a minute, as client-go does, and 20 s more where that fails. */
const LIFE_MS = 80_000;
const TRIES = 6;
const PAUSE_MS = 200;

/** A token in a file that somebody writes anew, such as the kubelet does. */
export class TokenFile implements CredentialSource {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Whoever writes it anew may be in the middle of it. */
  async obtain(): Promise<Credential> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#read();
      } catch (error) {
        if (tries >= TRIES) throw error;
        await pause(PAUSE_MS);
      }
    }
  }

  async #read(): Promise<Credential> {
    const text = await readFile(this.#file, 'utf8').catch(error => {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(
        `the token file ${this.#file} ${code === 'ENOENT' ? 'is not there' : `cannot be read: ${message}`}`,
      );
    });
    const token = text.trim();
    if (token === '') throw new Error(`the token file ${this.#file} is empty`);
    if (!/^[\x21-\x7e]+$/.test(token)) throw new Error(`the token file ${this.#file} holds no token`);
    return { token, expiresAt: Date.now() + LIFE_MS };
  }
}
