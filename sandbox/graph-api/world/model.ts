import type { Conditions } from '../conditions.ts';
import type { JsonObject } from '../json.ts';
import type { LimitSettings } from '../limits.ts';
import type { App } from '../tokens/app.ts';
import type { TokenStore } from '../tokens/store.ts';
import type { Clock } from './clock.ts';

/** What Meta calls `media_product_type`. */
export type ProductType = 'FEED' | 'REELS' | 'STORY';

/** Properties of a media that decide what the API refuses to say about it. */
export interface MediaTraits {
  /** The owner hides the likes: an indirect read has no `like_count`. */
  readonly hiddenLikes: boolean;
  /** Posted before the account became a business account: its insights are refused for ever. */
  readonly beforeConversion: boolean;
  /** Shared to Facebook too: `facebook_views` answers. */
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
  /** The fields of a direct read, URLs unsigned; a key is absent where the API leaves it out. */
  fields(nowMs: number): JsonObject;
  /** Every metric that the media has, by Meta's name; null where nothing is known. */
  insights(nowMs: number): Readonly<Record<string, number>> | null;
  /** A metric by the values of its one breakdown, as `navigation` by action. */
  breakdown(metric: string, nowMs: number): Readonly<Record<string, number>>;
  /** Comments of the top level that are shown, newest first; fewer than the media counts. */
  comments(nowMs: number): readonly Comment[];
  /** So many comments that they are drawn as they are read; `comments` makes all of them. */
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
  /** Accounts that followed on the day, however long ago; absent under 100 followers. */
  readonly gained?: number;
  /** New followers of the day; absent under 100 followers. */
  readonly followerCount?: number;
  /** Hour (fixed UTC-7) to followers online, sometimes empty; absent under 100 followers. */
  readonly onlineFollowers?: Readonly<Record<string, number>>;
}

/** Followers by the value of a breakdown: `country`, `city`, `age`, `gender`, `age,gender`. */
export type Demographics = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** People by the values of a breakdown; `none` without results, `refused` where there are too few. */
export type Audience = Readonly<Record<string, number>> | 'none' | 'refused';

/** The number for a whole window, and its parts by the values of a breakdown, joined with a comma. */
export interface Total {
  readonly value?: number;
  readonly parts?: Readonly<Record<string, number>>;
}

/** What a total over a window is asked for; milliseconds, and the text as it came. */
export interface TotalRequest {
  readonly metric: string;
  readonly breakdown: string;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly sinceText: string;
  readonly untilText: string;
  readonly nowMs: number;
}

/** An Instagram professional account. The getters show the world's present, the methods any time. */
export interface Account {
  readonly id: string;
  readonly pageId: string;
  /** The id that Instagram Login calls `id`; `user_id` is the account's id. */
  readonly appScopedId: string;
  readonly instagramToken: string;
  /** No daily values before this. */
  readonly seriesFromMs: number;
  readonly user: JsonObject;
  readonly media: readonly Media[];
  readonly stories: readonly Media[];
  readonly series: readonly Day[];
  readonly demographics: Demographics;
  userAt(nowMs: number): JsonObject;
  /** Posts, newest first. */
  mediaAt(nowMs: number): readonly Media[];
  /** Stories of the last 24 hours, newest first. */
  storiesAt(nowMs: number): readonly Media[];
  /** Posts of others that tag the account, newest first; undefined where they may not be read. */
  taggedAt(nowMs: number): readonly Media[] | undefined;
  /** Days whose end is in [sinceMs, untilMs] and not in the future, oldest first. */
  daysAt(window: { sinceMs: number; untilMs: number }, nowMs: number): readonly Day[];
  demographicsAt(nowMs: number): Demographics;
  /** The people of a demographic metric by the values of a breakdown. */
  audienceAt(metric: string, breakdown: string, nowMs: number): Audience;
  /** Undefined where the world knows nothing of the metric. */
  total(request: TotalRequest): Total | undefined;
}

/** A Facebook page, with or without an Instagram account. */
export interface Page {
  readonly id: string;
  readonly token: string;
  readonly fields: JsonObject;
  readonly account?: Account;
  /** `instagram_business_account` is an empty list, as was seen of pages without an account. */
  readonly isEmpty?: boolean;
}

/** Everything the simulator knows. */
export interface World {
  /** The Facebook Login token that sees every page. */
  readonly token: string;
  readonly clock: Clock;
  readonly pages: readonly Page[];
  readonly accounts: readonly Account[];
  /** What has changed under the callers' feet. */
  readonly conditions: Conditions;
  /** How much may be asked; to be replaced as one likes. */
  limits: LimitSettings;
  /** The app of the callers, on developers.facebook.com; changed in place. */
  readonly app: App;
  /** The app as it was at the start. */
  readonly firstApp: Readonly<App>;
  /** What is known of every token. */
  readonly tokens: TokenStore;
  /** Whether lists emit short and empty pages that still have a `next`. */
  readonly sparsePages: boolean;
  /** Cursors of a recording, and the id of the item that each names. */
  readonly cursors?: ReadonlyMap<string, string>;
  /** A media by id (child, post or live story), when it exists at that time. */
  findMedia(id: string, nowMs: number): Media | undefined;
  /** The URL as handed out: signed anew for every nonce, or as it stands in a recording. */
  signUrl(url: string, nonce: string): string;
}
