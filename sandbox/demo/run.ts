import { once as onceEvent } from 'node:events';
import type { Sandbox } from '../sandbox.ts';
import { startProgram } from '../program.ts';
import type { Progress } from '../progress.ts';
import type { DemoArguments } from './arguments.ts';
import { hasScreen, openBrowser } from './browser.ts';
import { describeNextSteps, describeStepsAfterwards } from './next-steps.ts';
import {
  type PollLine,
  type Spending,
  createSpending,
  describePoll,
  readPollLine,
  readStatusUrl,
} from './polls.ts';
import {
  type Topics,
  describeCounts,
  describeSamples,
  describeTopics,
  readAll,
  STREAMS,
  writeTopics,
} from './summary.ts';

/** A demo whose sandbox has started. */
export interface Demo {
  readonly sandbox: Sandbox;
  readonly options: DemoArguments;
  readonly progress: Progress;
  /** Ends the demo. */
  readonly signal: AbortSignal;
}

/** Polls every stream once and prints the records in Kafka; returns the program's exit code. */
export async function runOnce({ sandbox, options, progress, signal }: Demo): Promise<number> {
  const spending = createSpending();
  progress.log('starting the program: it polls every stream once');
  await using program = startProgram({
    command: 'once',
    env: { ...sandbox.env, LOG_LEVEL: 'debug', HTTP_PORT: '0' },
    onLine: (line) => {
      if (tell(readPollLine(line), spending)) progress.postpone();
    },
  });
  const code = await Promise.race([program.ended, onceEvent(signal, 'abort').then(() => null)]);
  if (code === null) return 0;
  progress.log('reading the topics');
  const topics = await showTopics(sandbox, spending);
  progress[Symbol.dispose]();
  if (options.out !== undefined) await writeTopics(topics, options.out);
  show(describeStepsAfterwards(options.givenCluster === undefined ? undefined : sandbox.env));
  console.log(describeCounts(topics, sandbox.api.ledger.total().requests));
  return code;
}

const INTERVAL = '10s';

/** Polls at short intervals while the world changes, until it is stopped. */
export async function runLive(demo: Demo): Promise<number> {
  const { sandbox, options, progress, signal } = demo;
  const spending = createSpending();
  const first = firstCycle(sandbox.api.world.accounts.length * STREAMS.length);
  let statusUrl = '';
  progress.log('starting the program: it polls every stream, and repeats that');
  await using program = startProgram({
    command: 'run',
    env: { ...sandbox.env, ...shortIntervals(), LOG_LEVEL: 'debug', HTTP_PORT: '0' },
    onLine: (line) => {
      const poll = readPollLine(line);
      if (tell(poll, spending)) progress.postpone();
      if (poll !== undefined) first.note(poll);
      const url = readStatusUrl(line);
      if (url !== undefined) showStatusPage((statusUrl = url), options);
    },
  });
  const stopped = onceEvent(signal, 'abort').then(() => 'stopped' as const);
  const ended = program.ended.then((code) => code ?? 1);
  const began = await Promise.race([first.done, stopped, ended]);
  if (typeof began === 'number') return began;
  if (began === 'done') await showFirstCycle(demo, spending, statusUrl);
  progress[Symbol.dispose]();
  const end = await Promise.race([stopped, ended]);
  if (end === 'stopped') console.log('\nstopping the program, Kafka and the registry …');
  if (options.out !== undefined) await writeTopics(await readSandbox(sandbox), options.out);
  return typeof end === 'number' ? end : 0;
}

function shortIntervals(): Record<string, string> {
  return Object.fromEntries(
    STREAMS.map((stream) => [`STREAM_${stream.toUpperCase()}_INTERVAL`, INTERVAL]),
  );
}

function showStatusPage(url: string, { open }: DemoArguments): void {
  const { platform, env, stdout } = process;
  console.log(`Status page: ${url}/\n`);
  const isWanted = open ?? hasScreen({ platform, env, isTerminal: stdout.isTTY });
  if (isWanted) openBrowser(url, platform);
}

async function showFirstCycle(
  { sandbox, options, progress }: Demo,
  spending: Spending,
  statusUrl: string,
): Promise<void> {
  progress.log('reading the topics');
  await showTopics(sandbox, spending);
  const isLive = options.recording === undefined;
  console.log(
    isLive
      ? `Every stream was polled, and is again every ${INTERVAL}: new posts and stories, growing counts.`
      : `Every stream was polled, and is again every ${INTERVAL}; a recording does not change.`,
  );
  console.log('Stop with Ctrl-C.\n');
  show(describeNextSteps({ statusUrl, apiUrl: sandbox.api.url, env: sandbox.env, isLive }));
}

function show(lines: readonly string[]): void {
  for (const line of [...lines, '']) console.log(line);
}

/** Adds a poll; prints it, and returns true, unless it is one more without a record. */
function tell(poll: PollLine | undefined, spending: Spending): boolean {
  if (poll === undefined) return false;
  const isFirst = !spending.knows(poll);
  spending.add(poll);
  // An empty poll is shown once, with its reason; later empty polls of the stream are not shown.
  const isShown = isFirst || poll.records + poll.deadLetters > 0;
  if (isShown) console.log(describePoll(poll, new Date()));
  return isShown;
}

/** Returns a promise that resolves when every stream of every account has been polled once. */
function firstCycle(expected: number) {
  const seen = new Set<string>();
  const finished = Promise.withResolvers<'done'>();
  return {
    done: finished.promise,
    note: ({ stream, accountId }: PollLine): void => {
      seen.add(`${stream}/${accountId}`);
      if (seen.size === expected) finished.resolve('done');
    },
  };
}

async function showTopics(sandbox: Sandbox, spending: Spending): Promise<Topics> {
  const topics = await readSandbox(sandbox);
  console.log('');
  for (const line of describeTopics(topics, spending.requestsOf)) console.log(line);
  console.log('\nOne record of each, read back from Kafka (read_committed) and decoded:');
  for (const line of describeSamples(topics)) console.log(line);
  console.log('');
  return topics;
}

function readSandbox({ cluster, topicTemplate }: Sandbox): Promise<Topics> {
  const { brokers, registryUrl } = cluster;
  return readAll({ brokers, registryUrl }, topicTemplate);
}
