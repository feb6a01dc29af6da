import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { folder } from './golden.ts';

describe('golden files', () => {
  test('belong to the test of the same name', () => {
    const tests = readdirSync(new URL('.', import.meta.url))
      .filter((name) => name.endsWith('.test.ts') && name !== 'files.test.ts')
      .map((name) => name.replace('.test.ts', '.txt'));

    expect(readdirSync(folder).sort()).toEqual(tests.sort());
  });
});
