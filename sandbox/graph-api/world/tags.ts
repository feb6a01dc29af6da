import type { AccountPlan } from './accounts.ts';
import { POST_KINDS } from './content.ts';
import { type Draw, drawDigits, drawInteger } from './draws.ts';
import type { Media } from './model.ts';
import { DAY_MS } from './pacific.ts';
import { type MediaOwner, createPost } from './posts.ts';
import { type Timeline, createTimeline } from './timeline.ts';

const INITIAL = 5;
const PER_DAY = 0.5;
const FRIENDS = 4;

/** Creates other users' posts that tag an account; their owners are unreadable accounts. */
export function createTags(
  plan: Pick<AccountPlan, 'seed' | 'startMs'>,
  owner: MediaOwner,
  draw: Draw,
): Timeline {
  const create = (index: number, createdAtMs: number): Media => {
    const post = createPost({
      seed: `${plan.seed}/tag/${index}`,
      owner: friendOf(index % FRIENDS, draw),
      kind: POST_KINDS[index % POST_KINDS.length] ?? POST_KINDS[0],
      createdAtMs: Math.floor(createdAtMs / 1000) * 1000,
      beforeConversion: false,
    });
    const caption = `With @${owner.username} 💛`;
    return { ...post, fields: (nowMs) => ({ ...post.fields(nowMs), caption }) };
  };
  return createTimeline({
    startMs: plan.startMs,
    initial: Array.from({ length: INITIAL }, (_, index) =>
      create(index, plan.startMs - (index + draw(`tag/${index}/age`)) * 9 * DAY_MS),
    ),
    perDay: PER_DAY,
    jitter: (index) => draw(`tag/${index}/jitter`),
    create: (index, createdAtMs) => create(INITIAL + index, createdAtMs),
    onCreate: () => undefined,
  });
}

function friendOf(index: number, draw: Draw): MediaOwner {
  return {
    id: `17841${drawDigits(draw, `friend/${index}`, 12)}`,
    username: `friend_${drawDigits(draw, `friend/${index}/name`, 5)}`,
    followers: drawInteger(draw(`friend/${index}/followers`), 150, 4000),
  };
}
