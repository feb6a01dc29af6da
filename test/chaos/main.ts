/**
 * `npm run test:chaos -- --minutes N --seed S [--instances I] [--logs DIR] [--record]`: the program
 * under random faults; see run.ts. What happens goes to stderr; the last line of stdout is the report
 * as JSON, which `--record` also adds to docs/evidence.json.
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { stopSignal } from '../../sandbox/stop.ts';
import { recordChaos } from '../../scripts/recorded-runs.ts';
import { type Outcome, runChaos } from './run.ts';

const SHOWN = 20;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function readNumber(
  name: string,
  text: string,
  { isGood, expected }: { isGood: (value: number) => boolean; expected: string },
): number {
  const value = Number(text);
  if (text.trim() !== '' && isGood(value)) return value;
  throw new RangeError(`--${name}: got "${text}", expected ${expected}`);
}

const length = {
  isGood: (value: number) => value > 0 && value <= 24 * 60,
  expected: 'a number above 0, at most 1440',
};
const count = {
  isGood: (value: number) => Number.isInteger(value) && value >= 1,
  expected: 'a whole number of at least 1',
};

/** Before anything is started: a log that cannot be opened would end the suite in its middle. */
function makeFolder(name: string, path: string): string {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new RangeError(`--${name}: got "${path}", expected a folder: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return path;
}

function readArguments(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 99_999)) },
      instances: { type: 'string', default: '3' },
      logs: { type: 'string' },
      record: { type: 'boolean', default: false },
    },
  });
  return {
    minutes: readNumber('minutes', values.minutes, length),
    seed: readNumber('seed', values.seed, count),
    instances: readNumber('instances', values.instances, count),
    record: values.record,
    ...(values.logs === undefined ? {} : { logs: makeFolder('logs', values.logs) }),
  };
}

/** Prints what was found, the numbers last; an instance that ended by itself is no good either. */
function tell({ faults, records, findings, surprises }: Outcome) {
  for (const line of surprises) say(line);
  for (const [name, lines] of Object.entries(findings) as [string, readonly string[]][]) {
    for (const line of lines.slice(0, SHOWN)) say(`${name}: ${line}`);
    if (lines.length > SHOWN) say(`${name}: and ${lines.length - SHOWN} more`);
  }
  const counts = Object.entries(findings).map(
    ([name, lines]: [string, readonly string[]]) => [name, lines.length] as const,
  );
  const report = { faults: Object.fromEntries(faults), records, ...Object.fromEntries(counts) };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return { isGood: surprises.length === 0 && counts.every(([, count]) => count === 0), report };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const signal = stopSignal();
try {
  const { record, ...options } = readArguments(process.argv.slice(2));
  say(`seed ${options.seed}, ${options.minutes} minutes, ${options.instances} instances`);
  const { isGood, report } = tell(await runChaos({ ...options, say, signal }));
  const { seed, minutes, instances } = options;
  if (record) recordChaos({ seed, minutes, instances, result: report });
  process.exitCode = isGood ? 0 : 1;
} catch (error) {
  if (!signal.aborted) say(messageOf(error));
  process.exitCode = signal.aborted ? 130 : 2;
}
