import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { tar } from '../../../dev/cluster/tar.ts';

test('the machine’s own tar reads what we write', () => {
  const archive = tar([
    { name: 'tmp/', kind: 'directory', mode: 0o1777 },
    { name: 'bin/busybox', kind: 'file', mode: 0o755, content: Buffer.alloc(1000, 'x') },
    { name: 'bin/sh', kind: 'link', target: 'busybox' },
    { name: 'empty', kind: 'file', mode: 0o644, content: Buffer.alloc(0) },
  ]);
  const list = execFileSync('tar', ['-tvf', '-', '--numeric-owner'], { input: archive, encoding: 'utf8' });
  expect(list.trim().split('\n')).toEqual([
    expect.stringMatching(/^drwxrwxrwt 0\/0 +0 .* tmp\/$/),
    expect.stringMatching(/^-rwxr-xr-x 0\/0 +1000 .* bin\/busybox$/),
    expect.stringMatching(/^lrwxrwxrwx 0\/0 +0 .* bin\/sh -> busybox$/),
    expect.stringMatching(/^-rw-r--r-- 0\/0 +0 .* empty$/),
  ]);
  expect(execFileSync('tar', ['-xOf', '-', 'bin/busybox'], { input: archive }).toString()).toBe('x'.repeat(1000));
});

test('a name too long for the format is an error, not another name', () => {
  const name = 'n'.repeat(101);
  expect(() => tar([{ name, kind: 'link', target: 'busybox' }])).toThrow('too long');
});
