import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from '../src/kafka/client/kafkajs.ts';
import type { GraphApi } from '../sandbox/graph-api/server.ts';
import type { Comment, Media } from '../sandbox/graph-api/world/model.ts';
import { startProgram } from '../sandbox/program.ts';

/**
 * The time from the first byte of a webhook to its record at a `read_committed` consumer, in
 * milliseconds.
 */
export interface WebhooksResult {
  readonly comments: number;
  readonly webhook_median_ms: number;
  readonly webhook_p99_ms: number;
  /** The time after which a poll finds a comment: half of the default interval. */
  readonly poll_median_ms: number;
}

const dayMs = 86_400_000;
/** The world is behind, so that its time can pass. */
export const behindMs = 3 * dayMs;
const measured = 500;
/** The time between two webhooks. */
const everyMs = 40;
const intervalMs = 12 * 3_600_000;
const verifyToken = 'a-token-of-the-benchmark';

/**
 * Sends one webhook for each new comment of a world, one after another, to the real program.
 *
 * @param env - the addresses of Kafka, registry and API; a topic template of its own
 */
export async function benchWebhooks(
  api: GraphApi,
  env: Readonly<Record<string, string>>,
): Promise<WebhooksResult> {
  const listening = Promise.withResolvers<string>();
  const polled = new Set<unknown>();
  const ready = Promise.withResolvers<undefined>();
  await using program = startProgram({
    command: 'run',
    env: {
      ...env,
      STREAMS: 'comments',
      INSTAGRAM_CLIENT_SECRET: api.world.app.clientSecret,
      WEBHOOK_RECEIVER_PORT: '0',
      WEBHOOK_RECEIVER_VERIFY_TOKEN: verifyToken,
      WEBHOOK_RECEIVER_MAX_REQUESTS_PER_SECOND: '1000',
      HTTP_PORT: '0',
      LOG_LEVEL: 'debug',
    },
    onLine(line) {
      const { msg, url, accountId } = JSON.parse(line) as Readonly<Record<string, unknown>>;
      if (msg === 'webhook receiver listening') listening.resolve(String(url));
      if (msg !== 'poll finished') return;
      polled.add(accountId);
      if (polled.size === api.world.accounts.length) ready.resolve(undefined);
    },
  });
  const ended = program.ended.then((code) => Promise.reject(new Error(`ended with ${code}`)));
  ended.catch(() => undefined);
  const callbackUrl = await Promise.race([listening.promise, ended]);
  await Promise.race([ready.promise, ended]);
  await using records = await follow(env, env['KAFKA_TOPIC_TEMPLATE'] ?? '');
  const latencies = await Promise.race([sendAll(api, callbackUrl, records.arrivals), ended]);
  return {
    comments: latencies.length,
    webhook_median_ms: quantile(latencies, 0.5),
    webhook_p99_ms: quantile(latencies, 0.99),
    poll_median_ms: intervalMs / 2,
  };
}

/** Follows the topic of comments; the arrivals are by the comment's id. */
async function follow(env: Readonly<Record<string, string>>, template: string) {
  const brokers = (env['KAFKA_BROKERS'] ?? '').split(',');
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const groupId = `${template}-webhooks`;
  const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 50 });
  const arrivals = new Map<string, number>();
  const joined = new Promise((resolve) => consumer.on('consumer.group_join', resolve));
  await consumer.connect();
  await consumer.subscribe({ topics: [template.replace('{stream}', 'comments')] });
  await consumer.run({
    eachMessage({ message }) {
      const id = String(message.key);
      if (!arrivals.has(id)) arrivals.set(id, performance.now());
      return Promise.resolve();
    },
  });
  await joined;
  return { arrivals, [Symbol.asyncDispose]: () => consumer.disconnect() };
}

async function sendAll(
  { world, webhooks }: GraphApi,
  callbackUrl: string,
  arrivals: ReadonlyMap<string, number>,
): Promise<readonly number[]> {
  const fromMs = world.clock.now();
  world.clock.advance(2 * dayMs);
  webhooks.configure({ callbackUrl, verifyToken });
  await webhooks.idle();
  const sent = new Map<string, number>();
  const found = world.accounts.flatMap((account) =>
    account
      .mediaAt(world.clock.now())
      .flatMap((media) => newComments(media, fromMs, world.clock.now()))
      .map((one) => ({ ...one, accountId: account.id })),
  );
  for (const { accountId, media, comment } of found.slice(0, measured)) {
    const value = { id: comment.id, media: { id: media.id, media_product_type: 'FEED' } };
    sent.set(comment.id, performance.now());
    webhooks.send({ changes: [{ accountId, field: 'comments', value }] });
    await sleep(everyMs);
  }
  while ([...sent.keys()].some((id) => !arrivals.has(id))) await sleep(100);
  return [...sent].map(([id, sentMs]) => (arrivals.get(id) ?? Infinity) - sentMs);
}

function newComments(media: Media, fromMs: number, nowMs: number) {
  return media
    .comments(nowMs)
    .filter(({ createdAtMs }: Comment) => createdAtMs > fromMs)
    .map((comment) => ({ media, comment }));
}

function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.ceil(sorted.length * fraction) - 1] ?? 0);
}
