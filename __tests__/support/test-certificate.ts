import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  key: string;
  cert: string;
}

/** Makes a certificate for 127.0.0.1, or for other names, with the `openssl` command: self-signed, and so an authority too, or signed by another. */
export function makeCertificate({
  expired = false,
  name = 'fake-api-server',
  names = 'IP:127.0.0.1,DNS:localhost',
  isAuthority = false,
  signedBy,
}: {
  expired?: boolean;
  name?: string;
  /** As in openssl's subjectAltName. */
  names?: string;
  /** Whether it may sign others. */
  isAuthority?: boolean;
  signedBy?: Certificate;
} = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  const keyFile = join(folder, 'key');
  const requestFile = join(folder, 'csr');
  const certFile = join(folder, 'crt');
  try {
    const openssl = (...args: string[]): void =>
      void execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`];
    if (isAuthority) subject.push('-addext', 'basicConstraints=critical,CA:TRUE');
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
    const [caKey, caCert] = [join(folder, 'ca-key'), join(folder, 'ca-crt')];
    if (signedBy) {
      writeFileSync(caKey, signedBy.key);
      writeFileSync(caCert, signedBy.cert);
    }
    openssl(
      'x509',
      '-req',
      '-in',
      requestFile,
      ...(signedBy ? ['-CA', caCert, '-CAkey', caKey, '-CAcreateserial'] : ['-key', keyFile]),
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
