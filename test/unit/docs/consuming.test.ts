import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

const root = new URL('../../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');

test('docs/consuming.md has the Flink statements of examples/flink/media.sql', () => {
  const blocks = [
    ...read('docs/consuming.md').matchAll(/```sql\n([^`]*(?:`timestamp`[^`]*)*)```/g),
  ];
  expect(blocks.map(([, sql]) => sql)).toContain(read('examples/flink/media.sql'));
});
