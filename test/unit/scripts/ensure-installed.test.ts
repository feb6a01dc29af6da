import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
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
function start(program = 'program.mjs') {
  const env = {
    ...process.env,
    PATH: `${join(root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  const script = join(root, 'scripts/ensure-installed.mjs');
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, program], { env });
  return {
    printed: stdout.toString(),
    said: stderr.toString(),
    status,
    installed: existsSync(join(root, 'npm-was-called')),
  };
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'installed-'));
  mkdirSync(join(root, 'scripts'));
  copyFileSync(starter, join(root, 'scripts/ensure-installed.mjs'));
  write('program.mjs', "console.log('ran');");
  write('sandbox/demo.ts', "console.log('ran');");
  write('sandbox/cluster/download-sizes.json', {
    npm: 10,
    nodeModules: 20,
    kafka: 30,
    registry: 40,
  });
  write('package-lock.json', { packages: locked });
  write('node_modules/.package-lock.json', { packages: noted });
  write('node_modules/a/package.json', '{}');
  write('node_modules/a/node_modules/b/package.json', '{}');
  mkdirSync(join(root, 'node_modules/.bin'));
  symlinkSync(process.execPath, join(root, 'node_modules/.bin/node'));
  // Creates the files of a complete install that a program needs.
  write(
    'bin/npm',
    `#!/bin/sh\necho "$@" > '${root}/npm-was-called'\nmkdir -p '${root}/node_modules/.bin'\n` +
      `ln -sf '${process.execPath}' '${root}/node_modules/.bin/node'\n`,
  );
  chmodSync(join(root, 'bin/npm'), 0o755);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

describe('ensure-installed', () => {
  test('starts the program at once after npm ci', () => {
    expect(start()).toEqual({ printed: 'ran\n', said: '', status: 0, installed: false });
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

    expect(start()).toMatchObject({ printed: 'ran\n', status: 0, installed: true });
  });

  test('announces the downloads with their sizes, those of Kafka only for a program that starts it', () => {
    const withoutRecord = (program: string) => {
      rmSync(join(root, 'node_modules/.package-lock.json'), { force: true });
      return start(program).said.split('\n');
    };

    expect(withoutRecord('program.mjs')).toEqual([
      'This run first downloads, once:',
      '- about 3 npm packages with Node 24: 10 MB, which take 20 MB in node_modules',
      expect.stringMatching(/^npm ci finished in \d+ s$/),
      '',
      '',
    ]);
    expect(withoutRecord('sandbox/demo.ts')).toContain(
      '  without Docker by Java 17 and Maven 70 MB',
    );
  });

  test('counts no package of another platform, and lets npm print errors only', () => {
    write('package-lock.json', {
      packages: {
        ...locked,
        'node_modules/other': { optional: true, os: ['none'], cpu: ['none'] },
      },
    });
    rmSync(join(root, 'node_modules/.package-lock.json'));

    expect(start().said).toContain('about 3 npm packages');
    expect(readFileSync(join(root, 'npm-was-called'), 'utf8')).toContain('ci');
    expect(readFileSync(join(root, 'npm-was-called'), 'utf8')).toContain('--loglevel=error');
  });

  test('exits with 3, and names the exit code, when npm ci fails', () => {
    rmSync(join(root, 'node_modules/.package-lock.json'));
    write('bin/npm', '#!/bin/sh\necho its own words >&2\nexit 7\n');

    expect(start()).toMatchObject({ printed: '', status: 3 });
    expect(start().said).toContain(
      'its own words\nnpm ci failed (7): fix the error printed above and run the command again\n',
    );
  });
});
