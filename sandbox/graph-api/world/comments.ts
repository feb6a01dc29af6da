import { type Draw, drawDigits, drawInteger, drawOne } from './draws.ts';
import { grow } from './growth.ts';
import { commentId } from './ids.ts';
import type { Comment, CommentList } from './model.ts';

/** The parameters of a post's comments. */
export interface CommentsPlan {
  readonly draw: Draw;
  readonly createdAtMs: number;
  /** The final number of comments, before its tail. */
  readonly final: number;
  readonly halfLifeHours: number;
}

const TEXTS: readonly [string, ...string[]] = [
  'Beautiful!',
  'Where is this? 😍',
  'Need it. Now.',
  '🔥🔥🔥',
  'How much is shipping to Zürich?',
  'رائع جدا',
  'Is it open on "bank holidays" / Mondays?',
  'すごい！',
  'Obrigada pelo atendimento 💛',
  '100% recommended',
];
const PEOPLE: readonly [string, ...string[]] = ['lena', 'marco', 'yuki', 'sofia', 'ade', 'tom'];
const HOUR_MS = 3_600_000;
const LONGEST_MS = 20 * 365 * 24 * HOUR_MS;
const REPLY_SHARE = 0.25;
/** Share of comments that Instagram counts and does not list. */
const HIDDEN_SHARE = 0.05;

interface CommentSlot {
  readonly comment: Comment;
  readonly index: number;
  /** The slot of the comment that it replies to. */
  readonly parent: number | undefined;
  readonly hidden: boolean;
}

/**
 * Returns the top-level comments of a post at a time, newest first. As many exist as the post
 * counts; some are replies and some are hidden, so that fewer are listed.
 */
export function createComments(plan: CommentsPlan): (nowMs: number) => readonly Comment[] {
  const slots: CommentSlot[] = [];
  let shown: { count: number; list: readonly Comment[] } = { count: 0, list: [] };
  return (nowMs) => {
    const count = grow(plan.final, nowMs - plan.createdAtMs, plan.halfLifeHours);
    while (slots.length < count) slots.push(createSlot(plan, slots));
    if (shown.count !== count) shown = { count, list: topLevel(slots.slice(0, count)) };
    return shown.list;
  };
}

function topLevel(slots: readonly CommentSlot[]): Comment[] {
  const replies = new Map<number, Comment[]>();
  for (const { parent, hidden, comment } of slots) {
    if (parent === undefined || hidden) continue;
    replies.set(parent, [comment, ...(replies.get(parent) ?? [])]);
  }
  return slots
    .filter(({ parent, hidden }) => parent === undefined && !hidden)
    .map(({ comment, index }) => withReplies(comment, replies.get(index)))
    .reverse();
}

/** Adds replies and keeps the getters of the comment. */
function withReplies(comment: Comment, replies: readonly Comment[] = []): Comment {
  return replies.length === 0
    ? comment
    : (Object.create(comment, { replies: { value: replies, enumerable: true } }) as Comment);
}

function createSlot(plan: CommentsPlan, before: readonly CommentSlot[]): CommentSlot {
  const index = before.length;
  const roll = plan.draw(`comment/${index}/kind`);
  const isReply = index > 0 && roll < REPLY_SHARE;
  const parent = isReply ? parentOf(plan.draw, index, before) : undefined;
  const hidden = parent === undefined ? isReply || roll > 1 - HIDDEN_SHARE : false;
  return { comment: createComment(plan, index), index, parent, hidden };
}

/** Returns the nearest top-level comment at or before a drawn place. */
function parentOf(draw: Draw, index: number, before: readonly CommentSlot[]): number | undefined {
  for (let at = Math.floor(draw(`comment/${index}/parent`) * index); at >= 0; at -= 1) {
    const slot = before[at];
    if (slot?.parent === undefined && slot?.hidden === false) return at;
  }
  return undefined;
}

function createComment(plan: CommentsPlan, index: number): Comment {
  return drawComment(
    (name) => plan.draw(`comment/${index}/${name}`),
    () => timeOf(plan, index),
  );
}

/**
 * Creates comments at one a second from the post's creation on; only comments that are read are
 * created.
 */
export function createManyComments(
  { draw, createdAtMs }: Pick<CommentsPlan, 'draw' | 'createdAtMs'>,
  count: number,
): CommentList {
  return {
    length: count,
    at: (index) => {
      const second = count - index;
      if (second <= 0 || index < 0) return undefined;
      return drawComment(
        (name) => draw(`many/${second}/${name}`),
        () => createdAtMs + second * 1000,
      );
    },
  };
}

/** Few of thousands are read: each draws its values when they are read. */
function drawComment(draw: Draw, time: () => number): Comment {
  let createdAtMs: number | undefined;
  return {
    id: commentId(draw),
    get createdAtMs() {
      createdAtMs ??= time();
      return createdAtMs;
    },
    get text() {
      return drawOne(draw('text'), TEXTS);
    },
    get username() {
      return `${drawOne(draw('name'), PEOPLE)}_${drawDigits(draw, 'name', 3)}`;
    },
    get userId() {
      return `17841${drawDigits(draw, 'user', 12)}`;
    },
    get likeCount() {
      return drawInteger(draw('likes') ** 4, 0, 40);
    },
    replies: [],
  };
}

/** Returns the whole second in which the post's count reached the comment's place. */
function timeOf({ createdAtMs, final, halfLifeHours }: CommentsPlan, index: number): number {
  let [early, late] = [0, LONGEST_MS];
  while (late - early > 1000) {
    const middle = (early + late) / 2;
    if (grow(final, middle, halfLifeHours) > index) late = middle;
    else early = middle;
  }
  return Math.floor((createdAtMs + late) / 1000) * 1000;
}
