import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const examples = readdirSync(new URL('examples/', root), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const tests = readdirSync(new URL('test/examples/', root))
  .map((file) => read(`test/examples/${file}`))
  .join('\n');

const commandOf = (name: string): string => `examples/${name}/run.sh`;

/** Starts an example in an environment that has nothing else. */
function start(name: string, env: NodeJS.ProcessEnv): { status: number | null; stderr: string } {
  const file = new URL(commandOf(name), root);
  const { status, stderr } = spawnSync('/bin/sh', [file.pathname], { env, encoding: 'utf8' });
  return { status, stderr };
}

describe('README of an example', () => {
  it.each(examples)('has at most 40 lines and the same sections: %s', (name) => {
    const page = read(`examples/${name}/README.md`);
    const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);

    expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    expect(headings).toEqual(['Needs', 'Run', 'You see', 'Adapt it']);
  });

  it.each(examples)('has one command as its section "Run", which the gallery lists: %s', (name) => {
    const [, run] = /\n## Run\n\n([^]*?)\n\n## /.exec(read(`examples/${name}/README.md`)) ?? [];
    const rows = read('examples/README.md')
      .split('\n')
      .filter((line) => line.startsWith('| [') && line.includes(`](${name}/README.md)`));

    expect(run).toBe(`\`\`\`sh\n${commandOf(name)}\n\`\`\``);
    expect(rows).toEqual([expect.stringContaining(`| \`${commandOf(name)}\` `)]);
  });
});

describe('example', () => {
  it.each(examples)('is run by a test of test/examples: %s', (name) => {
    // The sandbox starts this one for `npm run example:postgres` too.
    const start = name === 'postgres' ? 'startConnect(' : `Example('${name}'`;

    expect(tests).toContain(start);
  });

  it.each(examples)('names a setting that is missing: %s', (name) => {
    const { status, stderr } = start(name, {});

    expect(status).not.toBe(0);
    expect(stderr).toContain('KAFKA_BROKERS: is not set, expected ');
  });

  it.each(examples)('names a program that is missing, and what to install: %s', (name) => {
    const settings = ['KAFKA_BROKERS', 'SCHEMA_REGISTRY_URL'];
    const database = ['PGHOST', 'PGDATABASE', 'PGUSER', 'PGPASSWORD'];
    const env = Object.fromEntries([...settings, ...database].map((key) => [key, 'x'] as const));
    const { status, stderr } = start(name, { ...env, PATH: '/nothing' });

    expect(status).toBe(1);
    expect(stderr).toMatch(/^(go|mvn|python3) is missing: install /);
  });
});
