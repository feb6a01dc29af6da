/**
 * `npm test`: runs the named suites or their folders (`unit/instagram`), or all but those that run
 * on request; `--with SUITE` adds one of these. The suites with Kafka share one sandbox cluster; the
 * examples run on another one with filled topics. The slowest test files run first; `--record` writes
 * the seconds of each to `test/support/durations.json`, the order of the next run. The last line is
 * `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from '../sandbox/cluster/start.ts';
import { findPostgres } from '../sandbox/postgres/database.ts';
import { startFilledSandbox } from '../test/examples/world.ts';

const withoutCluster = ['unit', 'conformance', 'extraction', 'golden', 'browser'];
const withCluster = ['integration', 'faults', 'chaos'];
/**
 * Suites that run on request only: `browser` needs a Chromium, `examples` many more programs;
 * `faults` and `chaos` kill, cut and delay for longer than all others take.
 */
const onRequest = ['browser', 'examples', 'faults', 'chaos'];
const DURATIONS = 'test/support/durations.json';
/** The order of shorter files does not matter. */
const RECORDED_SECONDS = 1;
const SHOWN_FILES = 15;
const cores = availableParallelism();
/** One more than the cores: with a worker for each, a fifth of the CPU time is idle. */
const defaultWorkers = cores + 1;

const allSuites = [...withoutCluster, ...withCluster, 'examples'];

const withoutFolder = (path: string): string => path.replace(/^test\//, '');
const suiteOf = (path: string): string => withoutFolder(path).split('/')[0] ?? '';

/** The result of a test file. */
interface FileResult {
  /** The path from the root of the project. */
  readonly path: string;
  readonly seconds: number;
}

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly files: readonly FileResult[];
}

/** The part that is read here of the report that `jest --json` writes. */
interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
  }[];
}

/** The tests start the program some hundred times: Node's compiled code is kept. */
const compileCache = { NODE_COMPILE_CACHE: join(tmpdir(), 'instagram-kafka-compile-cache') };

async function runJest(
  suites: readonly string[],
  env: NodeJS.ProcessEnv,
  workers: number,
): Promise<Tally> {
  const directory = await mkdtemp(join(tmpdir(), 'jest-'));
  const report = join(directory, 'report.json');
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning',
      '--experimental-vm-modules',
      'node_modules/jest/bin/jest.js',
      '--passWithNoTests',
      // A program that a failed test has left running would keep Jest alive for ever.
      '--forceExit',
      '--json',
      `--outputFile=${report}`,
      `--maxWorkers=${workers}`,
      // Jest prints the report on standard output too; the terminal gets the readable one on
      // stderr.
      ...suites.map((suite) => `test/${suite}`),
    ],
    { env: { ...process.env, ...compileCache, ...env }, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  await new Promise((resolve) => child.on('exit', resolve));
  try {
    const result = JSON.parse(await readFile(report, 'utf8')) as JestReport;
    return {
      passed: result.numPassedTests,
      // A suite that failed to load has run none of its tests; it counts as one failure.
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests,
      files: result.testResults.map(({ name, startTime, endTime }) => ({
        path: relative(process.cwd(), name),
        seconds: Math.round((endTime - startTime) / 1000),
      })),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function log(line: string): void {
  console.error(line);
}

async function runWithCluster(suites: readonly string[]): Promise<Tally> {
  await using cluster = await startCluster({ log });
  // Tests of faults and chaos have deadlines, which one more worker makes them miss.
  const hasDeadlines = suites.some((suite) => ['faults', 'chaos'].includes(suiteOf(suite)));
  return await runJest(suites, addressesOf(cluster), hasDeadlines ? cores : defaultWorkers);
}

async function runExamples(suites: readonly string[]): Promise<Tally> {
  await using sandbox = await startFilledSandbox(log);
  return await runJest(suites, addressesOf(sandbox.cluster), 1);
}

function addressesOf({ brokers, registryUrl }: Cluster): NodeJS.ProcessEnv {
  return { KAFKA_BROKERS: brokers.join(','), SCHEMA_REGISTRY_URL: registryUrl };
}

/** Prints the time of each suite and its slowest files. */
function reportTimes(files: readonly FileResult[]): void {
  const bySuite = Map.groupBy(files, ({ path }) => path.split('/')[1] ?? path);
  for (const [suite, ofSuite] of bySuite) {
    const seconds = ofSuite.reduce((total, file) => total + file.seconds, 0);
    log(`${String(seconds).padStart(5)} s  ${suite}, ${ofSuite.length} files`);
  }
  log('Slowest files:');
  for (const { path, seconds } of slowestFirst(files).slice(0, SHOWN_FILES)) {
    log(`${String(seconds).padStart(5)} s  ${path}`);
  }
}

const slowestFirst = (files: readonly FileResult[]): readonly FileResult[] =>
  files.toSorted((a, b) => b.seconds - a.seconds || a.path.localeCompare(b.path));

/** Records the files that ran; those of other suites keep their seconds. */
async function recordDurations(files: readonly FileResult[]): Promise<void> {
  const before = JSON.parse(await readFile(DURATIONS, 'utf8')) as Readonly<Record<string, number>>;
  const now = Object.fromEntries(files.map(({ path, seconds }) => [path, seconds]));
  const all = Object.entries({ ...before, ...now }).map(([path, seconds]) => ({ path, seconds }));
  const slow = slowestFirst(all).filter(
    ({ path, seconds }) => seconds >= RECORDED_SECONDS && existsSync(path),
  );
  const durations = Object.fromEntries(slow.map(({ path, seconds }) => [path, seconds]));
  await writeFile(DURATIONS, `${JSON.stringify(durations, undefined, 2)}\n`);
}

const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: {
    with: { type: 'string', multiple: true, default: [] },
    record: { type: 'boolean', default: false },
  },
});
const unknown = [...asked, ...values.with].find((path) => !allSuites.includes(suiteOf(path)));
if (unknown !== undefined) {
  console.error(`"${unknown}": expected one of ${allSuites.join(', ')}, or a path in one of them`);
  process.exit(2);
}
/** The parts of a suite to run: all of it, those that are named, or none. */
function partsOf(suite: string): readonly string[] {
  const isDefault = asked.length === 0 && !onRequest.includes(suite);
  if (isDefault || values.with.includes(suite)) return [`${suite}/`];
  return asked.map(withoutFolder).filter((path) => suiteOf(path) === suite);
}
const wants = (suite: string) => partsOf(suite).length > 0;
if (wants('examples')) {
  await findPostgres(process.env).catch((error: unknown) => {
    console.error((error as Error).message);
    process.exit(1);
  });
}
const tallies: Tally[] = [];
const quick = withoutCluster.flatMap(partsOf);
const slow = withCluster.flatMap(partsOf);
if (quick.length > 0) tallies.push(await runJest(quick, {}, defaultWorkers));
if (slow.length > 0) tallies.push(await runWithCluster(slow));
if (wants('examples')) tallies.push(await runExamples(partsOf('examples')));

const files = tallies.flatMap((tally) => tally.files);
reportTimes(files);
if (values.record) await recordDurations(files);
const sum = (pick: (tally: Tally) => number) => tallies.reduce((all, one) => all + pick(one), 0);
const failed = sum((tally) => tally.failed);
const skipped = sum((tally) => tally.skipped);
console.log(
  `${sum((tally) => tally.passed)} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);
process.exit(failed > 0 || sum((tally) => tally.passed) === 0 ? 1 : 0);
