import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';

/** A part of `npm run bench` on record: the last run of each part replaces the one before. */
export interface RecordedBenchmark {
  /** The day of the run. */
  readonly date: string;
  /** Cores of the machine, and processes that were ready to run in the minute before. */
  readonly cores: number;
  readonly load: number;
  /** The part's figures, as in the last line of its output. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** A run of `npm run test:chaos` on record. */
export interface RecordedChaos {
  readonly date: string;
  readonly seed: number;
  readonly minutes: number;
  readonly instances: number;
  /** The last line of its output. */
  readonly result: Readonly<Record<string, unknown>>;
}

/** The runs from which `docs/benchmarks.md` and `docs/evidence.md` are written. */
interface RecordedRuns {
  readonly benchmarks: Readonly<Record<string, RecordedBenchmark>>;
  readonly chaos: readonly RecordedChaos[];
}

/** Path of the record from the project's root. */
export const recordFile = 'docs/evidence.json';
const recordUrl = new URL(`../${recordFile}`, import.meta.url);

export function readRecordedRuns(file = recordUrl): RecordedRuns {
  return JSON.parse(readFileSync(file, 'utf8')) as RecordedRuns;
}

function write(runs: RecordedRuns, file = recordUrl): void {
  writeFileSync(file, `${JSON.stringify(runs, null, 2)}\n`);
}

const today = () => new Date().toISOString().slice(0, 10);

/** Returns the load of the machine, to be read before a benchmark adds its own. */
export function readLoad(): Pick<RecordedBenchmark, 'cores' | 'load'> {
  return { cores: availableParallelism(), load: Number((loadavg()[0] ?? NaN).toFixed(1)) };
}

type MeasuredRun = Pick<RecordedBenchmark, 'cores' | 'load' | 'figures'>;

/** Puts a part's figures on record. */
export function recordBenchmark(part: string, run: MeasuredRun, file = recordUrl): void {
  const runs = readRecordedRuns(file);
  write({ ...runs, benchmarks: { ...runs.benchmarks, [part]: { date: today(), ...run } } }, file);
}

/** Puts a part that measures time on record; returns the reason why it does not, or null. */
export function recordTimes(part: string, run: MeasuredRun, file = recordUrl): string | null {
  const { cores, load } = run;
  if (load >= cores) {
    return `${part} is not put on record: the load before was ${load} on ${cores} cores`;
  }
  recordBenchmark(part, run, file);
  return null;
}

/** Puts a chaos run on record. */
export function recordChaos(run: Omit<RecordedChaos, 'date'>): void {
  const runs = readRecordedRuns();
  write({ ...runs, chaos: [...runs.chaos, { date: today(), ...run }] });
}
