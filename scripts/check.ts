/** `npm run check`: all checks of the sources that do not run them. */
import { spawnSync } from 'node:child_process';

const checks: readonly (readonly [string, readonly string[]])[] = [
  ['format', ['prettier', '--check', '.']],
  ['lint', ['eslint', '.']],
  ['types', ['tsc', '-p', '.']],
  ['types of the status page', ['tsc', '-p', 'web']],
  [
    'import rules',
    ['depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'sandbox', 'test', 'bench'],
  ],
  ['dead code', ['knip']],
  ['generated docs', ['node', 'scripts/generate-docs.ts', '--check']],
];

const failed = checks.filter(([name, [command, ...args]]) => {
  console.log(`— ${name}`);
  return spawnSync(command ?? '', args, { stdio: 'inherit' }).status !== 0;
});
for (const [name] of failed) console.error(`failed: ${name}`);
process.exit(failed.length > 0 ? 1 : 0);
