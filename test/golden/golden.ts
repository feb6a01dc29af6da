import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from '@jest/globals';

/** The golden files: `NAME.txt` for the contract that `NAME.test.ts` pins. */
export const folder = new URL('files/', import.meta.url);

/** Compares a contract, one item a line, with its golden file; `npm run goldens` rewrites the file. */
export function expectGolden(name: string, lines: readonly string[]): void {
  const file = new URL(`${name}.txt`, folder);
  if (process.env['WRITE_GOLDENS'] === '1') writeFileSync(file, `${lines.join('\n')}\n`);
  expect(lines).toEqual(readFileSync(file, 'utf8').trimEnd().split('\n'));
}

/** Each line once, sorted by code unit: the same on every machine. */
export function sorted(lines: Iterable<string>): readonly string[] {
  return [...new Set(lines)].sort();
}
