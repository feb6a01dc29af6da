import { type Conditions, createConditions } from './conditions.ts';
import type { LimitSettings } from './limits.ts';
import type { App } from './tokens/app.ts';
import { initialGrants } from './tokens/initial.ts';
import { createTokenStore } from './tokens/store.ts';
import { createAccount, STORY_LIFETIME_MS } from './world/accounts.ts';
import { type Clock, createClock } from './world/clock.ts';
import { underConditions } from './world/conditioned.ts';
import { type Draw, createDraw, drawDigits, drawText } from './world/draws.ts';
import type { Account, Media, Page, World } from './world/model.ts';
import { signUrl } from './world/signature.ts';

export type { World } from './world/model.ts';

/** The parameters of a world; the same spec and clock create the same world. */
export interface WorldSpec {
  readonly seed: number;
  /** The start of the world's clock: ISO text or milliseconds; default the real time. */
  readonly now?: string | number;
  readonly accounts: number;
  /** Posts of every account at the start. */
  readonly mediaPerAccount: number;
  /**
   * Children of every account's albums at the start, in all; default two to ten an album, drawn.
   */
  readonly childrenPerAccount?: number;
  /** Live stories of every account; as many new ones appear every day. */
  readonly storiesPerAccount: number;
  /** Days of daily values before the start. */
  readonly insightsDays: number;
  /** Pages without an Instagram account; default 1. */
  readonly pagesWithoutAccount?: number;
  /** True when the clock runs with real time multiplied by `speed`; default false. */
  readonly live?: boolean;
  /** World seconds per real second of a live clock; default 1. */
  readonly speed?: number;
  /** The Facebook Login token; drawn from the seed by default. */
  readonly token?: string;
  /** New posts of every account a day after the start; default 2. */
  readonly postsPerDay?: number;
  /**
   * Number of every account's oldest posts whose insights are rejected (2108006); default 3, or a
   * tenth of few posts.
   */
  readonly preConversionMedia?: number;
  /**
   * Number of the next oldest posts that are feed videos with `reach` and `saved` alone; default 2,
   * or a tenth of few posts.
   */
  readonly oldFeedVideos?: number;
  /**
   * Number of accounts, the last ones, with fewer than a hundred followers; default 1 where there
   * are at least two.
   */
  readonly smallAccounts?: number;
  /**
   * Stories of every account with fewer than five viewers; default 1 where there are at least two.
   */
  readonly unseenStories?: number;
  /** True when lists emit short and empty pages that still have a `next`; default false. */
  readonly sparsePages?: boolean;
  /** The call limits; default none. */
  readonly limits?: LimitSettings;
}

type Optional = 'now' | 'token' | 'live' | 'speed' | 'limits' | 'childrenPerAccount';
type CompleteSpec = Required<Omit<WorldSpec, Optional>> & Pick<WorldSpec, 'childrenPerAccount'>;

/** Creates a world; nothing in it is random beyond the seed. */
export function createWorld(spec: WorldSpec): World {
  const startMs = spec.now === undefined ? Date.now() : new Date(spec.now).getTime();
  if (Number.isNaN(startMs)) {
    throw new Error(`now: got ${String(spec.now)}, expected an ISO time or milliseconds`);
  }
  const clock = createClock({ startMs, live: spec.live ?? false, speed: spec.speed ?? 1 });
  const draw = createDraw(`world/${spec.seed}`);
  const complete = completeSpec(spec);
  const media = new Map<string, Media>();
  const conditions = createConditions();
  const accounts = Array.from({ length: complete.accounts }, (_, index) =>
    plantAccount({ complete, clock, startMs, draw, media, conditions }, index),
  );
  const token = spec.token ?? `EAAG${drawText(draw, 'token', 180)}`;
  const firstApp = drawApp(draw);
  const pages = layOutPages(accounts, complete, draw);
  return {
    token,
    clock,
    accounts,
    pages,
    conditions,
    limits: spec.limits ?? {},
    app: { ...firstApp },
    firstApp,
    tokens: createTokenStore(initialGrants({ token, pages, accounts, startMs })),
    sparsePages: complete.sparsePages,
    findMedia: (id, nowMs) => {
      for (const account of accounts) {
        account.mediaAt(nowMs);
        account.storiesAt(nowMs);
      }
      const found = media.get(id);
      return found !== undefined && exists(found, nowMs)
        ? underConditions(found, conditions)
        : undefined;
    },
    signUrl: (url, nonce) => signUrl(url, nonce, clock.now()),
  };
}

/** Draws an app's id and secret in the form of developers.facebook.com. */
function drawApp(draw: Draw): App {
  return {
    clientId: `1${drawDigits(draw, 'app/id', 15)}`,
    clientSecret: drawText(draw, 'app/secret', 32).toLowerCase(),
    name: 'Example app',
    requireProof: false,
    codeShape: 'data',
    configurations: {},
  };
}

function exists(media: Media, nowMs: number): boolean {
  const ageMs = nowMs - media.createdAtMs;
  return ageMs >= 0 && (media.productType !== 'STORY' || ageMs < STORY_LIFETIME_MS);
}

function completeSpec(spec: WorldSpec): CompleteSpec {
  return {
    ...spec,
    pagesWithoutAccount: spec.pagesWithoutAccount ?? 1,
    postsPerDay: spec.postsPerDay ?? 2,
    preConversionMedia:
      spec.preConversionMedia ?? Math.min(3, Math.floor(spec.mediaPerAccount / 10)),
    oldFeedVideos: spec.oldFeedVideos ?? Math.min(2, Math.floor(spec.mediaPerAccount / 10)),
    smallAccounts: spec.smallAccounts ?? (spec.accounts >= 2 ? 1 : 0),
    unseenStories: spec.unseenStories ?? (spec.storiesPerAccount >= 2 ? 1 : 0),
    sparsePages: spec.sparsePages ?? false,
  };
}

interface Ground {
  readonly complete: CompleteSpec;
  readonly clock: Clock;
  readonly startMs: number;
  readonly draw: Draw;
  readonly media: Map<string, Media>;
  readonly conditions: Conditions;
}

function plantAccount(ground: Ground, index: number): Account {
  const { complete, clock, startMs, draw, media, conditions } = ground;
  return createAccount({
    seed: `world/${complete.seed}/account/${index}`,
    index,
    pageId: `1${drawDigits(draw, `page/${index}`, 14)}`,
    clock,
    conditions,
    startMs,
    mediaCount: complete.mediaPerAccount,
    childCount: complete.childrenPerAccount,
    storyCount: complete.storiesPerAccount,
    preConversionMedia: complete.preConversionMedia,
    oldFeedVideos: complete.oldFeedVideos,
    postsPerDay: complete.postsPerDay,
    unseenStories: complete.unseenStories,
    insightsDays: complete.insightsDays,
    small: index >= complete.accounts - complete.smallAccounts,
    onMedia: (made) => {
      for (const one of [made, ...made.children]) {
        media.set(one.id, one);
      }
    },
  });
}

/** Creates the pages with an account and, after the first one, those without. */
function layOutPages(accounts: readonly Account[], complete: CompleteSpec, draw: Draw): Page[] {
  const withAccount = accounts.map((account, index) => ({
    ...createPage(account.pageId, `Page ${index + 1}`, draw),
    account,
  }));
  const without = Array.from({ length: complete.pagesWithoutAccount }, (_, index) =>
    createPage(`4${drawDigits(draw, `lone/${index}`, 14)}`, `Lone page ${index + 1}`, draw),
  );
  return [...withAccount.slice(0, 1), ...without, ...withAccount.slice(1)];
}

function createPage(id: string, name: string, draw: Draw): Page {
  return {
    id,
    token: `EAAG${drawText(draw, `page/${id}`, 160)}`,
    fields: {
      category: 'Local business',
      category_list: [{ id: '2500', name: 'Local business' }],
      name,
      id,
      tasks: ['ANALYZE', 'ADVERTISE', 'MODERATE', 'CREATE_CONTENT', 'MANAGE'],
    },
  };
}
