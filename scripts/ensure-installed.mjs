/**
 * Runs a TypeScript program of this project on a fresh clone: installs missing packages, then
 * starts the program under the project's own Node, which npm has installed into node_modules. Plain
 * JavaScript for any Node 20 or newer, because it runs before anything is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const node = join(modules, '.bin', 'node');

/**
 * Returns the packages of a lock file by their folders; undefined when it is missing or unreadable.
 */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * True when the packages of package-lock.json are installed: npm records the installed packages at
 * the very end of an install. An optional package may be for another machine.
 */
function isInstalled() {
  const noted = packagesOf(join(modules, '.package-lock.json'));
  const wanted = packagesOf(join(root, 'package-lock.json')) ?? {};
  if (noted === undefined || !existsSync(node)) return false;
  const isThere = ([folder, { version, integrity, optional }]) => {
    // The project itself.
    if (folder === '') return true;
    const found = noted[folder];
    if (found === undefined) return optional === true;
    const isSame = found.version === version && found.integrity === integrity;
    return isSame && existsSync(join(root, folder, 'package.json'));
  };
  return Object.entries(wanted).every(isThere) && Object.keys(noted).every((one) => one in wanted);
}

if (!isInstalled()) {
  process.stderr.write('installing dependencies (npm ci), once …\n');
  // Output to stderr: standard output belongs to the program.
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    process.stderr.write('npm ci failed; its output stands above\n');
    process.exit(3);
  }
}

const [program, ...args] = process.argv.slice(2);
const child = spawn(
  node,
  // kafkajs creates negative timers on Node 24 (tulios/kafkajs#1751): harmless, noisy.
  ['--disable-warning=TimeoutNegativeWarning', join(root, program), ...args],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH ?? ''}` },
  },
);
// The child handles its own stop; Ctrl-C reaches it by the terminal's process group as well.
for (const name of ['SIGTERM', 'SIGINT']) {
  process.on(name, () => {
    if (name === 'SIGTERM') child.kill(name);
  });
}
child.on('exit', (code, signal) => {
  process.exit(code ?? (signal === 'SIGINT' ? 130 : 143));
});
