/**
 * Runs a TypeScript program of this project on a fresh clone: installs missing packages, then
 * starts the program under the project's own Node, which npm has installed into node_modules. Plain
 * JavaScript for any Node 20 or newer, because it runs before anything is installed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
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

/** The programs that start Kafka and a schema registry. */
const sandboxPrograms = ['sandbox/demo.ts', 'sandbox/main.ts', 'sandbox/postgres.ts'];

function say(line) {
  // Standard output belongs to the program.
  process.stderr.write(`${line}\n`);
}

/** Prints the downloads before the first of them begins. */
function announce(count, program) {
  const sizes = JSON.parse(readFileSync(join(root, 'sandbox/cluster/download-sizes.json'), 'utf8'));
  const { npm, nodeModules, kafka, registry } = sizes;
  say('This run first downloads, once:');
  say(
    `- about ${count} npm packages with Node 24: ${npm} MB, which take ${nodeModules} MB in node_modules`,
  );
  if (!sandboxPrograms.includes(program)) return;
  say('- Kafka and a schema registry: by Docker their images, if the engine lacks them;');
  say(`  without Docker by Java 17 and Maven ${kafka + registry} MB`);
}

/** Returns the folders of the packages that npm installs on this machine, as far as it is known. */
function foldersOf(packages) {
  const fits = (allowed, own) => allowed === undefined || allowed.includes(own);
  return Object.entries(packages)
    .filter(([folder, { os, cpu }]) => {
      return folder !== '' && fits(os, process.platform) && fits(cpu, process.arch);
    })
    .map(([folder]) => folder);
}

/** Describes the work of npm ci by the packages that are there now and were there before. */
function describeInstall(now, before, wanted) {
  if (now === 0) return 'reading the registry';
  return now >= wanted && now === before
    ? `${now} packages; their install scripts run`
    : `${now} of about ${wanted} packages`;
}

/** Runs npm ci, with a line every five seconds; returns true when it succeeds. */
async function install(program) {
  const folders = foldersOf(packagesOf(join(root, 'package-lock.json')) ?? {});
  announce(folders.length, program);
  const beganMs = performance.now();
  const seconds = () => `${Math.round((performance.now() - beganMs) / 1000)} s`;
  // Warnings about this Node's age do not apply: the packages run under the project's own.
  const npm = spawn('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  let before = 0;
  const timer = setInterval(() => {
    const { length } = folders.filter((one) => existsSync(join(root, one, 'package.json')));
    say(`npm ci, ${seconds()}: ${describeInstall(length, before, folders.length)}`);
    before = length;
  }, 5000);
  const [status] = await once(npm, 'close').catch((error) => [error.message]);
  clearInterval(timer);
  if (status === 0) say(`npm ci finished in ${seconds()}\n`);
  else say(`npm ci failed (${status}): fix the error printed above and run the command again`);
  return status === 0;
}

const [program, ...args] = process.argv.slice(2);
if (!isInstalled() && !(await install(program))) process.exit(3);

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
