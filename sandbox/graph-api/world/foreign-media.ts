import type { AccountPlan } from './accounts.ts';
import { POST_KINDS } from './content.ts';
import { type Draw, drawDigits, drawInteger } from './draws.ts';
import type { Account, Comment, Media } from './model.ts';
import { DAY_MS } from './pacific.ts';
import { type MediaOwner, createPost } from './posts.ts';
import { type Timeline, createTimeline } from './timeline.ts';

const PER_DAY = 0.5;

/** Other users' posts on one edge of an account. */
interface ForeignMedia {
  readonly edge: string;
  /** Begins the seeds of the posts. */
  readonly seed: string;
  /** Number of posts at the start. */
  readonly initial: number;
  /** Days between them. */
  readonly everyDays: number;
  /** Number of users who post them. */
  readonly friends: number;
  /** The caption that names the account; without it, posts have a caption of their own. */
  readonly caption?: (username: string) => string;
}

const FOREIGN_MEDIA: readonly ForeignMedia[] = [
  {
    edge: 'tags',
    seed: 'tag',
    initial: 5,
    everyDays: 9,
    friends: 4,
    caption: (username) => `With @${username} 💛`,
  },
  { edge: 'collaborative_media', seed: 'collaboration', initial: 4, everyDays: 11, friends: 3 },
];

type Plan = Pick<AccountPlan, 'seed' | 'startMs'>;

/** Creates other users' posts by the account's edge; their owners are unreadable accounts. */
export function createForeignMedia(
  plan: Plan,
  owner: MediaOwner,
  draw: Draw,
): ReadonlyMap<string, Timeline> {
  return new Map(FOREIGN_MEDIA.map((list) => [list.edge, createList(list, { plan, owner, draw })]));
}

function createList(
  { seed, initial, everyDays, friends, caption }: ForeignMedia,
  { plan, owner, draw }: { plan: Plan; owner: MediaOwner; draw: Draw },
): Timeline {
  const create = (index: number, createdAtMs: number): Media => {
    const post = createPost({
      seed: `${plan.seed}/${seed}/${index}`,
      owner: friendOf(index % friends, draw),
      kind: POST_KINDS[index % POST_KINDS.length] ?? POST_KINDS[0],
      createdAtMs: Math.floor(createdAtMs / 1000) * 1000,
      beforeConversion: false,
    });
    if (caption === undefined) return post;
    return {
      ...post,
      fields: (nowMs) => ({ ...post.fields(nowMs), caption: caption(owner.username) }),
      comments: (nowMs) => withMention(post.comments(nowMs), owner.username),
    };
  };
  return createTimeline({
    startMs: plan.startMs,
    initial: Array.from({ length: initial }, (_, index) =>
      create(index, plan.startMs - (index + draw(`${seed}/${index}/age`)) * everyDays * DAY_MS),
    ),
    perDay: PER_DAY,
    jitter: (index) => draw(`${seed}/${index}/jitter`),
    create: (index, createdAtMs) => create(initial + index, createdAtMs),
    onCreate: () => undefined,
  });
}

const mentionOf = (username: string): string => `@${username} look!`;

/** The oldest comment of a post names the account too. */
function withMention(comments: readonly Comment[], username: string): readonly Comment[] {
  const oldest = comments.at(-1);
  if (oldest === undefined) return comments;
  const text = { value: mentionOf(username), enumerable: true };
  return [...comments.slice(0, -1), Object.create(oldest, { text }) as Comment];
}

/** True for a comment that names an account. */
export function isMention({ text }: Comment, { user }: Pick<Account, 'user'>): boolean {
  const { username } = user;
  return typeof username === 'string' && text === mentionOf(username);
}

function friendOf(index: number, draw: Draw): MediaOwner {
  return {
    id: `17841${drawDigits(draw, `friend/${index}`, 12)}`,
    username: `friend_${drawDigits(draw, `friend/${index}/name`, 5)}`,
    followers: drawInteger(draw(`friend/${index}/followers`), 150, 4000),
  };
}
