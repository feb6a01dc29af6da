import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseTokens } from '../../../../src/config/named-formats.ts';
import { Tokens } from '../../../../src/instagram/tokens/tokens.ts';
import { watchTokenFile } from '../../../../src/instagram/tokens/file.ts';

const one = 'EAAone0123456789abcdefghij';
const two = 'EAAtwo0123456789abcdefghij';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'token-file-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Watches the file through the steps, each of which happens before a check of the file. */
async function look(steps: readonly (() => Promise<void>)[]) {
  const tokens = new Tokens([one]);
  const renewed: (readonly string[])[] = [];
  const troubles: string[] = [];
  const left = [...steps];
  const enough = new AbortController();
  const clock = {
    nowMs: () => 0,
    async sleep() {
      const step = left.shift();
      if (step === undefined) enough.abort();
      await step?.();
    },
  };
  const file = {
    path: join(folder, 'token'),
    parse: parseTokens,
    onRenewed: (found: readonly string[]) => void renewed.push(found),
    onInvalid: (reason: string) => void troubles.push(reason),
  };
  await watchTokenFile(file, tokens, { clock, signal: enough.signal });
  return { tokens, renewed, troubles };
}

const write = (text: string) => () => writeFile(join(folder, 'token'), text);
const nothing = () => Promise.resolve();

describe('watched token file', () => {
  test('brings a renewed token into use after registering it for redaction', async () => {
    const { tokens, renewed } = await look([write(`${one}\n`), write(`${two}\n`)]);

    expect(tokens.text('')).toBe(two);
    expect(renewed).toEqual([[one], [two]]);
  });

  test('may hold several tokens, one per line', async () => {
    const { tokens } = await look([write(`${one}\n${two}\n`)]);

    expect(tokens.names().map((name) => tokens.text(name))).toEqual([one, two]);
  });

  test('keeps the token in use and reports the reason once while the file is missing or holds no token', async () => {
    const { tokens, troubles } = await look([nothing, nothing, write(''), write('a b'), nothing]);

    expect(tokens.text('')).toBe(one);
    expect(troubles).toEqual([
      'it cannot be read (ENOENT)',
      'it holds no token: expected one, or several on lines of their own',
    ]);
  });

  test('reports the same problem again when the file was good in between', async () => {
    const { troubles } = await look([write(''), write(two), write('')]);

    expect(troubles).toHaveLength(2);
  });
});
