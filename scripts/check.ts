/**
 * `npm run check`: all checks of the sources that do not run them. With `--quick`: format and lint
 * of the files that differ from the last commit, and the types, in parallel.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

type Check = readonly [name: string, command: readonly string[]];

const types: Check = ['types', ['tsc', '-p', '.']];
const checks: readonly Check[] = [
  ['format', ['prettier', '--check', '.']],
  ['lint', ['eslint', '.']],
  types,
  ['types of the status page', ['tsc', '-p', 'web']],
  [
    'import rules',
    ['depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'sandbox', 'test', 'bench'],
  ],
  ['dead code', ['knip']],
  ['generated docs', ['node', 'scripts/generate-docs.ts', '--check']],
];

/** Returns the files that differ from the last commit, new ones included. */
function changedFiles(): readonly string[] {
  const listed = [
    ['diff', '--name-only', '--diff-filter=d', 'HEAD'],
    ['ls-files', '--others', '--exclude-standard'],
  ].flatMap((args) => spawnSync('git', args, { encoding: 'utf8' }).stdout.split('\n'));
  return listed.filter((path) => path !== '' && existsSync(path));
}

/** Returns the checks of the changed files, and of all types, which any change may break. */
function quickChecks(): readonly Check[] {
  const changed = changedFiles();
  const code = changed.filter((path) => /\.(?:ts|mjs|js)$/.test(path));
  return [
    types,
    ...(changed.length === 0
      ? []
      : [['format', ['prettier', '--check', '--ignore-unknown', ...changed]] as const]),
    ...(code.length === 0 ? [] : [['lint', ['eslint', '--no-warn-ignored', ...code]] as const]),
  ];
}

/** Runs a check with its output on the terminal, and returns its exit code. */
function run([name, [command = '', ...args]]: Check): Promise<number | null> {
  console.log(`— ${name}`);
  const child = spawn(command, args, { stdio: 'inherit' });
  return new Promise((resolve) => child.on('close', resolve));
}

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const failed: string[] = [];
const note = async (check: Check): Promise<void> => {
  if ((await run(check)) !== 0) failed.push(check[0]);
};
if (values.quick) await Promise.all(quickChecks().map(note));
else for (const check of checks) await note(check);
for (const name of failed) console.error(`failed: ${name}`);
process.exitCode = failed.length > 0 ? 1 : 0;
