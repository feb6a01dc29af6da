import { findFreePorts } from '../../sandbox/cluster/free-port.ts';
import { waitUntil } from '../../sandbox/cluster/readiness.ts';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { readTopics } from '../../sandbox/topics.ts';
import { startLeapingRun } from '../integration/end-to-end/leaping-run.ts';

const DAY_MS = 86_400_000;
const START_DATE = '2026-03-01';

/** The daylight saving of the United States began on 8 March, the second day of the run. */
const world = createWorld({
  seed: 61,
  now: '2026-03-07T06:00:00Z',
  accounts: 2,
  smallAccounts: 0,
  mediaPerAccount: 12,
  preConversionMedia: 0,
  storiesPerAccount: 3,
  unseenStories: 0,
  insightsDays: 6,
  postsPerDay: 4,
});
/** An account of the world. */
export const account = world.accounts[0]?.id ?? '';
/** The post of the account that is deleted during the run. */
export const deletedPost = world.accounts[0]?.media[3]?.id ?? '';
/** The user name of the other account, whose public content is read too. */
const discoveredUser = world.accounts[1]?.user['username'] as string;

/** Returns the topic of a stream. */
export function topicOf(stream: string): string {
  return `instagram.${stream.replaceAll('_', '-')}`;
}

/**
 * Starts a sandbox whose topics hold three days of every stream; a post is deleted half-way.
 * Disposal stops it.
 */
export async function startFilledSandbox(log: (line: string) => void): Promise<Sandbox> {
  await using stack = new AsyncDisposableStack();
  const { signal } = new AbortController();
  const sandbox = stack.use(await startSandbox({ world, login: 'facebook', log, signal }));
  log('running the program for three days of the simulated world');
  await runThreeDays(sandbox);
  await receiveMentions(sandbox);
  const owned = stack.move();
  return { ...sandbox, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function runThreeDays({ api, env }: Sandbox): Promise<void> {
  const intervals = ['MEDIA', 'MEDIA_INSIGHTS', 'STORIES', 'STORY_INSIGHTS', 'USERS'].map(
    (name) => [`STREAM_${name}_INTERVAL`, '2h'],
  );
  await using run = await startLeapingRun(
    { api, env },
    {
      ...(Object.fromEntries(intervals) as Record<string, string>),
      STREAMS: 'all',
      KAFKA_TOMBSTONES: 'true',
      INSTAGRAM_START_DATE: START_DATE,
      INSTAGRAM_DISCOVERED_USERS: discoveredUser,
      INSTAGRAM_HASHTAGS: '#harbour',
    },
  );
  await run.pass(1.5 * DAY_MS);
  world.conditions.set({ deletedMedia: [deletedPost] });
  await run.pass(1.5 * DAY_MS);
}

/** Publishes the mentions of these days: only webhooks report them, while time passes as it does. */
async function receiveMentions({ api, cluster, env }: Sandbox): Promise<void> {
  const [port = 0] = await findFreePorts(1);
  const settings = {
    STREAMS: 'mentions',
    INSTAGRAM_START_DATE: START_DATE,
    INSTAGRAM_CLIENT_SECRET: world.app.clientSecret,
    WEBHOOK_RECEIVER_HOST: '127.0.0.1',
    WEBHOOK_RECEIVER_PORT: String(port),
    WEBHOOK_RECEIVER_VERIFY_TOKEN: 'a-token-of-the-handshake',
  };
  await using stack = new AsyncDisposableStack();
  stack.use(await startLeapingRun({ api, env }, settings));
  const { webhooks } = api;
  const callbackUrl = `http://127.0.0.1:${port}/webhooks/instagram`;
  // A delivery is repeated until the program accepts it.
  webhooks.configure({ callbackUrl, subscribeAll: true, fields: ['mentions'], retryMs: 100 });
  webhooks.look();
  await webhooks.idle();
  const changes = webhooks.accepted.reduce((sum, request) => sum + request.changes, 0);
  const topic = topicOf('mentions');
  const arePublished = async (): Promise<boolean> => {
    const records = (await readTopics(cluster, [topic])).get(topic) ?? [];
    return records.length === changes;
  };
  await waitUntil(arePublished, { subject: `${changes} records of ${topic}`, timeoutMs: 60_000 });
}
