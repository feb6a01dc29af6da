import { once as onceEvent } from 'node:events';
import type { Sandbox } from '../sandbox.ts';
import { startProgram } from '../program.ts';
import type { DemoArguments } from './arguments.ts';
import {
  type PollLine,
  type Spending,
  createSpending,
  describePoll,
  readPollLine,
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

/** Polls every stream once and prints the records in Kafka; returns the program's exit code. */
export async function runOnce(
  sandbox: Sandbox,
  { out }: DemoArguments,
  signal: AbortSignal,
): Promise<number> {
  const spending = createSpending();
  await using program = startProgram({
    command: 'once',
    env: { ...sandbox.env, LOG_LEVEL: 'debug', HTTP_PORT: '0' },
    onLine: (line) => {
      tell(readPollLine(line), spending);
    },
  });
  const code = await Promise.race([program.ended, onceEvent(signal, 'abort').then(() => null)]);
  if (code === null) return 0;
  const topics = await showTopics(sandbox, spending);
  if (out !== undefined) await writeTopics(topics, out);
  console.log(describeCounts(topics, sandbox.api.ledger.total().requests));
  return code;
}

const INTERVAL = '10s';

/** Polls at short intervals while the world changes, until it is stopped. */
export async function runLive(
  sandbox: Sandbox,
  { out }: DemoArguments,
  signal: AbortSignal,
): Promise<number> {
  const spending = createSpending();
  const first = firstCycle(sandbox.api.world.accounts.length * STREAMS.length);
  const intervals = STREAMS.map((stream) => [`STREAM_${stream.toUpperCase()}_INTERVAL`, INTERVAL]);
  await using program = startProgram({
    command: 'run',
    env: {
      ...sandbox.env,
      ...(Object.fromEntries(intervals) as Record<string, string>),
      LOG_LEVEL: 'debug',
      HTTP_PORT: '0',
    },
    onLine: (line) => {
      const poll = readPollLine(line);
      tell(poll, spending);
      if (poll !== undefined) first.note(poll);
    },
  });
  const stopped = onceEvent(signal, 'abort').then(() => 'stopped' as const);
  const ended = program.ended.then((code) => code ?? 1);
  const began = await Promise.race([first.done, stopped, ended]);
  if (typeof began === 'number') return began;
  if (began === 'done') {
    await showTopics(sandbox, spending);
    console.log(
      `\nEvery stream was polled, and is again every ${INTERVAL}: new posts and stories,`,
    );
    console.log('growing counts. --speed 60 shows more of them. Stop with Ctrl-C.\n');
  }
  const end = await Promise.race([stopped, ended]);
  if (end === 'stopped') console.log('\nstopping the program, Kafka and the registry …');
  if (out !== undefined) await writeTopics(await readSandbox(sandbox), out);
  return typeof end === 'number' ? end : 0;
}

function tell(poll: PollLine | undefined, spending: Spending): void {
  if (poll === undefined) return;
  const isFirst = !spending.knows(poll);
  spending.add(poll);
  // An empty poll is shown once, with its reason; later empty polls of the stream are not shown.
  if (isFirst || poll.records + poll.deadLetters > 0) console.log(describePoll(poll, new Date()));
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
