import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nodeFlags } from '../../../sandbox/program.ts';

const read = (file: string) => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

describe('Node flags of the sandbox', () => {
  it.each([
    ['package.json', `node ${nodeFlags.join(' ')} src/main.ts`],
    ['Dockerfile', `["node", ${nodeFlags.map((flag) => `"${flag}"`).join(', ')}, "dist/main.js"]`],
    ['docker-compose.yml', ['node', ...nodeFlags].map((word) => `      - ${word}\n`).join('')],
  ])('are the same in %s', (file, command) => {
    expect(read(file)).toContain(command);
  });
});
