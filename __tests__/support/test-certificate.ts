import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A self-signed certificate for 127.0.0.1, made with the `openssl` command. */
export function makeCertificate({ expired = false, name = 'fake-api-server' } = {}): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const keyFile = join(folder, 'key');
  const requestFile = join(folder, 'csr');
  const certFile = join(folder, 'crt');
  try {
    const openssl = (...args: string[]): void =>
      void execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      keyFile,
      '-out',
      requestFile,
      ...subject,
    );
    const life = ['-days', expired ? '-1' : '2'];
    openssl(
      'x509',
      '-req',
      '-in',
      requestFile,
      '-key',
      keyFile,
      ...life,
      '-copy_extensions',
      'copyall',
      '-out',
      certFile,
    );
    return { key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
