import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { runSandbox } from '../../../src/cli/sandbox.ts';

let folder: string;
let said: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'installation-'));
  said = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += String(text);
    return true;
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function put(main: string): Promise<void> {
  await mkdir(join(folder, 'sandbox'));
  await mkdir(join(folder, 'scripts'));
  await writeFile(join(folder, 'sandbox/main.ts'), main);
  // Replaces the script that installs missing packages first.
  const starter = "await import(new URL('../' + process.argv[2], import.meta.url));";
  await writeFile(join(folder, 'scripts/ensure-installed.mjs'), starter);
}

describe('the command sandbox', () => {
  test('explains where to get the sandbox when the installation lacks it', async () => {
    await expect(runSandbox(folder)).resolves.toBe(2);

    expect(said).toContain('This installation has no sandbox');
    expect(said).toContain('npm run sandbox');
  });

  test.each([
    ['process.exitCode = 0;', 0],
    ['process.exitCode = 1;', 3],
    ["process.kill(process.pid, 'SIGKILL');", 3],
  ])('exits with the result of the sandbox: %s', async (main, code) => {
    await put(main);

    await expect(runSandbox(folder)).resolves.toBe(code);
  });
});
