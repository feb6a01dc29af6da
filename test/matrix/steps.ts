import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SupportStep } from '../../scripts/support-page.ts';
import { comparable, DAY_MS, type Deployment } from '../integration/end-to-end/deployment.ts';
import { expectedRecords, STREAM_NAMES } from '../integration/end-to-end/expected-records.ts';
import { runProcess } from '../support/command.ts';
import type { Consume, ConsumedRecord } from './python.ts';

/** What the steps of a world work on. */
export interface StepContext {
  readonly deployment: Deployment;
  /** The version of Apache Kafka; null for another broker. */
  readonly kafka: string | null;
  readonly consume: Consume;
}

/** The parts of the summary of `once --json` that are looked at. */
interface Summary {
  readonly ok: boolean;
  readonly polls: readonly { readonly stream: string; readonly records: number }[];
}

/** Every poll publishes them, because each record is of its own time. */
const snapshots: readonly string[] = ['users', 'user_lifetime_insights'];
const startDate = new Date(Date.now() - 30 * DAY_MS).toISOString().slice(0, 10);
const RUN_TIMEOUT_MS = 60_000;
/** Polls of each stream before `run` is stopped, one a second. */
const POLLS = 5;

/** The steps in their order; each rejects when it fails. */
export const steps: Readonly<Record<SupportStep, (context: StepContext) => Promise<void>>> = {
  async check({ deployment, kafka }) {
    const stdout = await succeed(deployment, ['check', '--json']);
    if (kafka === null) return;
    const { lines } = JSON.parse(stdout) as { lines: { id: string; detail: string }[] };
    const detail = lines.find(({ id }) => id === 'kafka.brokers')?.detail ?? '';
    assert.ok(names(detail, kafka), `kafka.brokers: ${detail}`);
  },
  async once({ deployment }) {
    const polls = await once(deployment);
    const published = new Set(polls.flatMap(({ stream, records }) => (records > 0 ? stream : [])));
    assert.deepEqual([...published].sort(), [...STREAM_NAMES].sort());
  },
  async again({ deployment }) {
    await succeed(deployment, ['check']);
    const polls = await once(deployment);
    const more = polls.filter(({ stream, records }) => records > 0 && !snapshots.includes(stream));
    assert.deepEqual(more, []);
  },
  run: ({ deployment }) => runForSomeSeconds(deployment),
  async tail({ deployment }) {
    const args = ['tail', 'media', '--from-beginning', '--no-follow', '--json'];
    const lines = linesOf(await succeed(deployment, args));
    const keys = lines.map((line) => (JSON.parse(line) as { key: string }).key);
    const media = [...expectedRecords(deployment.truth(), startDate).media.keys()];
    assert.deepEqual(keys.sort(), media.sort());
  },
  async state({ deployment }) {
    const list = await succeed(deployment, ['state', 'list', '--json']);
    const keys = (JSON.parse(list) as { key: string }[]).map(({ key }) => key);
    const expected = deployment
      .truth()
      .accounts.flatMap(({ id }) => STREAM_NAMES.map((stream) => `${stream}/${id}`));
    assert.deepEqual(keys.sort(), expected.sort());
    const [key = ''] = keys;
    assert.match(await succeed(deployment, ['state', 'get', key, '--json']), /"sequence"/);
  },
  async consumer({ deployment, consume }) {
    const topics = [...STREAM_NAMES, 'state'].map((role) => deployment.topicOf(role));
    const consumed = await consume(deployment.cluster, topics);
    const records = Map.groupBy(consumed, ({ topic }) => topic);
    const expected = expectedRecords(deployment.truth(), startDate);
    for (const stream of STREAM_NAMES) {
      compare(stream, records.get(deployment.topicOf(stream)) ?? [], expected[stream]);
    }
    assert.ok(records.get(deployment.topicOf('state'))?.some(({ value }) => value !== null));
  },
};

/** True when a finding of `check` names the release of a version, or an older one "or later". */
function names(detail: string, version: string): boolean {
  const [, release = '', orLater] = /; Kafka ([\d.]+)( or later)?$/.exec(detail) ?? [];
  if (version.startsWith(`${release}.`)) return true;
  return orLater !== undefined && release.localeCompare(version, 'en', { numeric: true }) < 0;
}

/** Compares the records of a stream with the simulated world. */
function compare(
  stream: string,
  records: readonly ConsumedRecord[],
  expected: ReadonlyMap<string, unknown>,
): void {
  const found = new Map(records.map(({ key, value }) => [key, comparable(value)]));
  assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort(), `keys of ${stream}`);
  for (const [key, value] of expected) assert.deepEqual(found.get(key), value, `${stream} ${key}`);
  if (!snapshots.includes(stream)) assert.equal(records.length, expected.size, stream);
}

async function once(deployment: Deployment): Promise<Summary['polls']> {
  const { ok, polls } = JSON.parse(await succeed(deployment, ['once', '--json'])) as Summary;
  assert.ok(ok, '"ok" in the summary');
  return polls;
}

async function runForSomeSeconds(deployment: Deployment): Promise<void> {
  const finished: string[] = [];
  const settings: Record<string, string> = { INSTAGRAM_START_DATE: startDate };
  for (const name of STREAM_NAMES) settings[`STREAM_${name.toUpperCase()}_INTERVAL`] = '1s';
  const program = deployment.run(settings, ({ msg, stream }) => {
    if (msg === 'poll finished') finished.push(String(stream));
  });
  const isEnough = (): boolean =>
    STREAM_NAMES.every((name) => finished.filter((stream) => stream === name).length >= POLLS);
  const deadlineMs = performance.now() + RUN_TIMEOUT_MS;
  while (!isEnough()) {
    assert.equal(program.process.exitCode, null, 'run ended by itself');
    assert.ok(performance.now() < deadlineMs, `run has polled only ${finished.join(', ')}`);
    await sleep(100);
  }
  program.process.kill('SIGTERM');
  assert.equal(await program.ended, 0, 'exit code of run after SIGTERM');
}

/** Runs a command to its end and returns its output. */
async function succeed(deployment: Deployment, args: readonly string[]): Promise<string> {
  const env = { ...deployment.env, INSTAGRAM_START_DATE: startDate, LOG_LEVEL: 'warn' };
  const { exitCode, stdout, stderr } = await runProcess(args, { env });
  assert.equal(exitCode, 0, `exit code ${exitCode ?? 'none'}: ${stderr || stdout}`);
  return stdout;
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
