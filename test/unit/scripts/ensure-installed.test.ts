import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

const starter = fileURLToPath(new URL('../../../scripts/ensure-installed.mjs', import.meta.url));

/** The packages of package-lock.json: two, and one for another platform. */
const locked = {
  '': { name: 'project' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/a/node_modules/b': { version: '2.0.0', integrity: 'sha512-b' },
  'node_modules/elsewhere': { version: '1.0.0', integrity: 'sha512-e', optional: true },
};
/** The record that npm keeps of the installed packages. */
const noted = {
  'node_modules/a': locked['node_modules/a'],
  'node_modules/a/node_modules/b': locked['node_modules/a/node_modules/b'],
};

let root: string;

const write = (path: string, content: unknown): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
};

/** Starts a program through the script; returns its output, and whether npm was called. */
function start() {
  const env = {
    ...process.env,
    PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  const script = join(root, 'scripts/ensure-installed.mjs');
  const { stdout, status } = spawnSync(process.execPath, [script, 'program.mjs'], { env });
  return {
    printed: stdout.toString(),
    status,
    installed: existsSync(join(root, 'npm-was-called')),
  };
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'installed-'));
  mkdirSync(join(root, 'scripts'));
  copyFileSync(starter, join(root, 'scripts/ensure-installed.mjs'));
  write('program.mjs', "console.log('ran');");
  write('package-lock.json', { packages: locked });
  write('node_modules/.package-lock.json', { packages: noted });
  write('node_modules/a/package.json', '{}');
  write('node_modules/a/node_modules/b/package.json', '{}');
  mkdirSync(join(root, 'node_modules/.bin'));
  symlinkSync(process.execPath, join(root, 'node_modules/.bin/node'));
  // Creates the files of a complete install that a program needs.
  write(
    'bin/npm',
    `#!/bin/sh\ntouch '${root}/npm-was-called'\nmkdir -p '${root}/node_modules/.bin'\n` +
      `ln -sf '${process.execPath}' '${root}/node_modules/.bin/node'\n`,
  );
  chmodSync(join(root, 'bin/npm'), 0o755);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('ensure-installed', () => {
  test('starts the program at once after npm ci', () => {
    expect(start()).toEqual({ printed: 'ran\n', status: 0, installed: false });
  });

  test.each<[string, () => void]>([
    [
      'nothing is installed',
      () => {
        rmSync(join(root, 'node_modules'), { recursive: true });
      },
    ],
    [
      'an install was interrupted',
      () => {
        rmSync(join(root, 'node_modules/.package-lock.json'));
      },
    ],
    [
      'a package is missing',
      () => {
        rmSync(join(root, 'node_modules/a/node_modules/b'), { recursive: true });
      },
    ],
    [
      'Node is missing',
      () => {
        rmSync(join(root, 'node_modules/.bin/node'));
      },
    ],
    [
      'a package was added',
      () => {
        write('package-lock.json', {
          packages: { ...locked, 'node_modules/c': { version: '1.0.0' } },
        });
      },
    ],
    [
      'a package was removed',
      () => {
        write('package-lock.json', { packages: { 'node_modules/a': locked['node_modules/a'] } });
      },
    ],
    [
      'the lock file has another version',
      () => {
        write('package-lock.json', {
          packages: { ...locked, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-c' } },
        });
      },
    ],
    [
      'the record of the last install is not readable',
      () => {
        write('node_modules/.package-lock.json', '{');
      },
    ],
  ])('installs the packages first when %s', (_name, change) => {
    change();

    expect(start()).toEqual({ printed: 'ran\n', status: 0, installed: true });
  });
});
