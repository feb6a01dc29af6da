import { createWorld } from '../../sandbox/graph-api/world.ts';
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts';
import { startLeapingRun } from '../integration/end-to-end/leaping-run.ts';

const DAY_MS = 86_400_000;

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
      INSTAGRAM_START_DATE: '2026-03-01',
    },
  );
  await run.pass(1.5 * DAY_MS);
  world.conditions.set({ deletedMedia: [deletedPost] });
  await run.pass(1.5 * DAY_MS);
}
