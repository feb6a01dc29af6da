import type { Conditions } from '../conditions.ts';
import type { JsonObject } from '../json.ts';
import type { LimitSettings } from '../limits.ts';
import type { App } from '../tokens/app.ts';
import type { TokenStore } from '../tokens/store.ts';
import type { Clock } from './clock.ts';

/** Meta's `media_product_type`. */
export type ProductType = 'FEED' | 'REELS' | 'STORY';

/** Properties of a media that make the API omit or reject data. */
export interface MediaTraits {
  /** True when the owner hides the likes: an indirect read has no `like_count`. */
  readonly hiddenLikes: boolean;
  /**
   * True when posted before the account became a business account: its insights are always
   * rejected.
   */
  readonly beforeConversion: boolean;
  /** True when shared to Facebook too: `facebook_views` is available. */
  readonly onFacebook: boolean;
}

/** A comment of a post, or a reply to one. */
export interface Comment {
  readonly id: string;
  readonly createdAtMs: number;
  readonly text: string;
  readonly username: string;
  readonly userId: string;
  readonly likeCount: number;
  /** Newest first. */
  readonly replies: readonly Comment[];
  /** The fields that a recording shows; others are absent. */
  readonly recorded?: JsonObject;
}

/** A post, a story or a child of an album. */
export interface Media {
  readonly id: string;
  readonly accountId: string;
  readonly createdAtMs: number;
  readonly productType: ProductType;
  readonly isChild: boolean;
  /** The album of a child. */
  readonly albumId?: string;
  readonly traits: MediaTraits;
  readonly children: readonly Media[];
  /**
   * Returns the fields of a direct read, URLs unsigned; a key is absent where the API leaves it
   * out.
   */
  fields(nowMs: number): JsonObject;
  /** Returns every metric of the media, by Meta's name; null where nothing is known. */
  insights(nowMs: number): Readonly<Record<string, number>> | null;
  /** Returns a metric by the values of its one breakdown, such as `navigation` by action. */
  breakdown(metric: string, nowMs: number): Readonly<Record<string, number>>;
  /** Returns the listed top-level comments, newest first; fewer than the media counts. */
  comments(nowMs: number): readonly Comment[];
  /** A long list whose comments are drawn when they are read; `comments` creates all of them. */
  readonly manyComments?: CommentList;
}

/** Comments, newest first. */
export interface CommentList {
  readonly length: number;
  at(index: number): Comment | undefined;
}

/** One day of an account, named by the midnight US Pacific that ended it. */
export interface Day {
  readonly endTimeMs: number;
  readonly reach?: number;
  readonly reachWeek?: number;
  readonly reachDays28?: number;
  /**
   * Accounts that followed on the day, for days of any age; absent under 100 followers.
   */
  readonly gained?: number;
  /** New followers of the day; absent under 100 followers. */
  readonly followerCount?: number;
  /** Hour (fixed UTC-7) to followers online, sometimes empty; absent under 100 followers. */
  readonly onlineFollowers?: Readonly<Record<string, number>>;
}

/** Followers by the value of a breakdown: `country`, `city`, `age`, `gender`, `age,gender`. */
export type Demographics = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * People by the values of a breakdown; `none` without results, `refused` where there are too few.
 */
export type Audience = Readonly<Record<string, number>> | 'none' | 'refused';

/**
 * The number for a whole window, and its parts by the values of a breakdown, joined with a comma.
 */
export interface Total {
  readonly value?: number;
  readonly parts?: Readonly<Record<string, number>>;
}

/** The request of a total over a window; milliseconds, and the text as received. */
export interface TotalRequest {
  readonly metric: string;
  readonly breakdown: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly sinceText: string;
  readonly untilText: string;
  readonly nowMs: number;
}

/**
 * An Instagram professional account. The getters show the world's present, the methods any time.
 */
export interface Account {
  readonly id: string;
  readonly pageId: string;
  /** The `id` of Instagram Login; its `user_id` is the account's id. */
  readonly appScopedId: string;
  readonly instagramToken: string;
  /** Start of the daily values. */
  readonly seriesFromMs: number;
  readonly user: JsonObject;
  readonly media: readonly Media[];
  readonly stories: readonly Media[];
  readonly series: readonly Day[];
  readonly demographics: Demographics;
  userAt(nowMs: number): JsonObject;
  /** Returns posts, newest first. */
  mediaAt(nowMs: number): readonly Media[];
  /** Returns stories of the last 24 hours, newest first. */
  storiesAt(nowMs: number): readonly Media[];
  /** Returns the stories that end in (sinceMs, untilMs], deleted ones included. */
  storiesEnded(window: { sinceMs: number; untilMs: number }): readonly Media[];
  /**
   * Returns other users' posts on an edge of the account, newest first; undefined where they are
   * unreadable.
   */
  foreignMediaAt(edge: string, nowMs: number): readonly Media[] | undefined;
  /** Returns days whose end is in [sinceMs, untilMs] and not in the future, oldest first. */
  daysAt(window: { sinceMs: number; untilMs: number }, nowMs: number): readonly Day[];
  demographicsAt(nowMs: number): Demographics;
  /**
   * Returns the people of a demographic metric by the values of a breakdown.
   * @param timeframe - such as `this_week`; the whole audience without one
   */
  audienceAt(metric: string, breakdown: string, nowMs: number, timeframe?: string): Audience;
  /** Returns a total; undefined where the world has no value of the metric. */
  total(request: TotalRequest): Total | undefined;
}

/** A Facebook page, with or without an Instagram account. */
export interface Page {
  readonly id: string;
  readonly token: string;
  readonly fields: JsonObject;
  readonly account?: Account;
  /**
   * True when `instagram_business_account` is an empty list, as recorded for pages without an
   * account.
   */
  readonly isEmpty?: boolean;
}

/** The recorded accounts and hashtags of other people. */
export interface Others {
  /** Accounts by user name; null where business discovery answers without the account. */
  readonly discovered: ReadonlyMap<string, Account | null>;
  /** Hashtags by id, with their media by the edge that lists them, in its order. */
  readonly hashtags: ReadonlyMap<
    string,
    { readonly name: string | undefined; readonly media: ReadonlyMap<string, readonly Media[]> }
  >;
}

/** The data of the simulator. */
export interface World {
  /** The Facebook Login token that sees every page. */
  readonly token: string;
  readonly clock: Clock;
  readonly pages: readonly Page[];
  readonly accounts: readonly Account[];
  /** Changes of the world while callers read it. */
  readonly conditions: Conditions;
  /** The call limits; replaceable at any time. */
  limits: LimitSettings;
  /** The callers' app on developers.facebook.com; changed in place. */
  readonly app: App;
  /** The app as it was at the start. */
  readonly firstApp: Readonly<App>;
  /** The properties of every token. */
  readonly tokens: TokenStore;
  /** True when lists emit short and empty pages that still have a `next`. */
  readonly sparsePages: boolean;
  /** Cursors of a recording, and the id of the item that each names. */
  readonly cursors?: ReadonlyMap<string, string>;
  /** True in a recording of Instagram Login, whose tokens are those of the accounts. */
  readonly instagramLogin?: boolean;
  /** Media that a recording shows, whose comments may have any id. */
  readonly recordedMedia?: readonly Media[];
  /** The recorded accounts and hashtags of other people; without them, they are the world's own accounts and media. */
  readonly others?: Others;
  /** Finds a media by id (child, post or live story) that exists at that time. */
  findMedia(id: string, nowMs: number): Media | undefined;
  /** Returns the public URL: signed anew for every nonce, or unchanged from a recording. */
  signUrl(url: string, nonce: string): string;
}
