/**
 * `npm run release`: tags the version of package.json as `vVERSION`, after `npm run check`, all tests
 * and `npm run test:deploy`. Refuses a tree with changes, a tag that exists, and files that name
 * different versions. Pushes nothing. `--verify TAG` only compares: it is for the workflow that the
 * tag starts.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { findProblems, readRelease } from './release-state.ts';

const root = new URL('../', import.meta.url);

function run(command: string, ...args: readonly string[]): void {
  console.log(`— ${[command, ...args.slice(0, 4)].join(' ')}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status === 0) return;
  console.error(`failed: ${command} ${args.join(' ')}; nothing was tagged`);
  process.exit(1);
}

const { values } = parseArgs({ options: { verify: { type: 'string' } } });
const release = readRelease(root);
const problems = findProblems(release, values.verify);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);

if (values.verify === undefined) {
  run('npm', 'run', 'check');
  run('npm', 'test', '--', '--with', 'browser');
  run('npm', 'run', 'test:deploy');
  const tag = `v${release.version}`;
  run('git', 'tag', '--annotate', tag, '--message', `${tag}\n\n${release.notes ?? ''}`);
  console.log(`tagged ${tag}; to publish it: git push origin ${tag}`);
}
