import { createWorld, type World } from '../../sandbox/graph-api/world.ts';

/** A world whose time runs fast, or stands still. */
export interface FastWorld extends Disposable {
  readonly world: World;
  run(): void;
  /** Nothing changes any more until it runs again. */
  rest(): void;
}

const DAY_MS = 86_400_000;
const TICK_MS = 250;
/** With fewer followers a new story is asked before five people have seen it. */
const FEWEST_FOLLOWERS = 20_000;
/** More followers write more comments, and a round ends only when every comment is in Kafka. */
const MOST_FOLLOWERS = 60_000;
const ACCOUNTS = 3;

/** How far back the world begins and `user_insights` with it. */
export const WORLD_DAYS = 10;

/**
 * Makes a world that lives through two days or more while faults last: posts, stories that come and
 * expire, growing counts, days that end and are corrected. It begins in the past, and never comes to
 * the present, because the program does not publish days of the future.
 */
export function createFastWorld(seed: number, minutes: number): FastWorld {
  const spanMs = Math.min(8 * DAY_MS, Math.max(2 * DAY_MS, minutes * 60_000 * 300));
  const stepMs = (spanMs * TICK_MS) / (minutes * 60_000);
  // Rounds last longer than planned when something is waited for.
  const world = findPopularWorld(seed, Date.now() - 2 * spanMs - DAY_MS);
  const endMs = Date.now() - DAY_MS;
  let timer: NodeJS.Timeout | undefined;
  const rest = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    world,
    run() {
      timer ??= setInterval(() => {
        if (world.clock.now() + stepMs < endMs) world.clock.advance(stepMs);
      }, TICK_MS);
    },
    rest,
    [Symbol.dispose]: rest,
  };
}

/** Draws worlds from the seed until the followers of every account are within the limits. */
function findPopularWorld(seed: number, startMs: number): World {
  for (let attempt = 0; ; attempt += 1) {
    const world = createWorld({
      seed: seed * 1000 + attempt,
      now: startMs,
      accounts: ACCOUNTS,
      mediaPerAccount: 6,
      storiesPerAccount: 10,
      insightsDays: WORLD_DAYS,
      postsPerDay: 12,
      smallAccounts: 0,
      unseenStories: 0,
    });
    const followers = world.accounts.map(({ user }) => Number(user['followers_count']));
    if (followers.every((count) => count >= FEWEST_FOLLOWERS && count <= MOST_FOLLOWERS)) {
      return world;
    }
  }
}
