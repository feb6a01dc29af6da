import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = new URL('../../../', import.meta.url);
const program = fileURLToPath(new URL('bin/instagram-kafka.mjs', root));

/** Starts the npm package's program as if Node had this version. */
function startOn(version: string) {
  const preload = `Object.defineProperty(process.versions, 'node', { value: '${version}' });`;
  const args = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`, program];
  return spawnSync(process.execPath, [...args, '--version'], { encoding: 'utf8' });
}

test.each(['20.20.2', '24.11.9'])('npm package: names the Node that it needs on %s', (version) => {
  const { status, stderr } = startOn(version);

  expect(stderr).toBe(
    `instagram-kafka runs on Node 24.12 or newer; this is Node ${version} (${process.execPath}): install a newer one\n`,
  );
  expect(status).toBe(2);
});

test('npm package: needs the Node of engines in package.json', () => {
  const { engines } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    engines: { node: string };
  };

  expect(engines.node).toBe('>=24.12');
});
