import type { Locale } from './error-translations.ts';
import type { Json } from './json.ts';
import {
  type Reader,
  readBoolean,
  readInteger,
  readList,
  readMap,
  readMembers,
  readOneOf,
  readText,
} from './shape.ts';

/** The reason why a known token is rejected: 463, 460, 459, 458, 467. */
export type TokenDefect = 'expired' | 'password' | 'checkpoint' | 'removed' | 'revoked';

/** The error with which a field fails a whole page: 9005 or 36104. */
export type FatalField = 'copyright-check' | 'discovery-only';

/** The ids of a business's own pages and of its clients' pages. */
export interface BusinessPages {
  readonly owned?: readonly string[] | undefined;
  readonly client?: readonly string[] | undefined;
}

/** Changes of the world while a program runs; ids and names as in the API. */
export interface ConditionsSpec {
  /** Metrics that left the enums of media and accounts, in every version. */
  readonly removedMetrics?: readonly string[];
  /** Media id to the metrics that the API does not support for it. */
  readonly refusedMetrics?: Readonly<Record<string, readonly string[]>>;
  /** The wording of a metric's rejection; default `kind`. */
  readonly refusalWording?: 'kind' | 'media' | 'plain' | 'nameless' | 'permission';
  /**
   * Account id to metrics of its insights with a breakdown that the API rejects there, as
   * `views follow_type`.
   */
  readonly refusedBreakdowns?: Readonly<Record<string, readonly string[]>>;
  /**
   * The rejection of such a breakdown: that of a combination that does not exist, of a breakdown
   * that does not exist, or Meta's unknown error; default `incompatible`. No source records which.
   */
  readonly breakdownRefusal?: 'incompatible' | 'enum' | 'unknown';
  /** Media id to the `values` of the first metric of its insights. */
  readonly oddInsights?: Readonly<Record<string, Json>>;
  /** Media id to its caption, which may be ill-formed text. */
  readonly captions?: Readonly<Record<string, string>>;
  /** Media id to the number of its comments, one a second from its creation on. */
  readonly manyComments?: Readonly<Record<string, number>>;
  /** Comments and replies that are counted and not listed. */
  readonly hiddenComments?: readonly string[];
  /** Number of pages whose `instagram_business_account` is an empty list. */
  readonly emptyPages?: number;
  /** Business id to the pages that it owns and those of its clients. */
  readonly businesses?: Readonly<Record<string, BusinessPages>>;
  /** Pages that only the lists of businesses have. */
  readonly unlistedPages?: readonly string[];
  /**
   * The answer about businesses to a token without `business_management`, which no source records:
   * code 200, code 100, or an empty list; default `permission`.
   */
  readonly businessRefusal?: 'permission' | 'missing' | 'empty';
  /** True when the demographics by city have two entries of one name, which add up. */
  readonly demographicsTwice?: boolean;
  /** True when graph.instagram.com reads mentions too, which no source records. */
  readonly instagramMentions?: boolean;
  /** Deleted posts, stories and children of albums. */
  readonly deletedMedia?: readonly string[];
  /** Children with unreadable fields: expanding them fails the request with 100/33. */
  readonly brokenChildren?: readonly string[];
  /** Account id to the fields that fail every read of its media. */
  readonly fatalFields?: Readonly<Record<string, Readonly<Record<string, FatalField>>>>;
  /** Accounts that are listed and unreadable. */
  readonly deniedAccounts?: readonly string[];
  /** Account id to its unreadable edges, such as `tags`, and `comments` of its media. */
  readonly deniedEdges?: Readonly<Record<string, readonly string[]>>;
  readonly badTokens?: Readonly<Record<string, TokenDefect>>;
  /** Accounts that no longer exist. */
  readonly vanishedAccounts?: readonly string[];
  /** Largest page size of a list that is not empty; a larger one fails. */
  readonly tooMuchData?: number;
  /**
   * Account id to the answer of business discovery about it, an age-gated account: without the account,
   * or as of an unknown name. No source records it.
   */
  readonly ageGatedAccounts?: Readonly<Record<string, 'absent' | 'unknown'>>;
  /** Hashtags whose search is rejected. */
  readonly sensitiveHashtags?: readonly string[];
  /**
   * The rejection of a sensitive hashtag, and of one above the limit, which no source records; default
   * `parameter`.
   */
  readonly hashtagRefusal?: 'parameter' | 'server';
  /** The page after the last of a hashtag's list, which no source records; default `empty`. */
  readonly hashtagEnd?: 'empty' | 'again';
  /** True when the pages of a hashtag's lists have a `next`, which no source records. */
  readonly hashtagNext?: boolean;
  /** The language of an error's user message; undefined is English. */
  readonly locale?: Locale;
  /** The answer that carries the usage headers of a batch's items; default `items`. */
  readonly batchUsageHeaders?: 'items' | 'outer' | 'none';
  /**
   * The answer that carries a limit's error: the item that exceeds it, or the whole batch; default
   * `item`.
   */
  readonly batchThrottle?: 'item' | 'envelope';
  /** True when the host rejects every batch. */
  readonly batchRefused?: boolean;
  /** Number of answered items of a batch; later items are unanswered. */
  readonly batchShort?: number;
}

/** Conditions to replace; null or undefined clears one. */
export type ConditionsChanges = {
  readonly [K in keyof ConditionsSpec]: ConditionsSpec[K] | null | undefined;
};

const readTexts = readList(readText);

function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, path) => (value === null ? null : read(value, path));
}

const readPages = readMembers<BusinessPages>({ owned: readTexts, client: readTexts });

function readBusiness(value: unknown, path: string): BusinessPages {
  return readPages(value, path);
}

const readMembersOfConditions = readMembers<ConditionsChanges>({
  removedMetrics: orNull(readTexts),
  refusedMetrics: orNull(readMap(readTexts)),
  refusalWording: orNull(readOneOf(['kind', 'media', 'plain', 'nameless', 'permission'])),
  refusedBreakdowns: orNull(readMap(readTexts)),
  breakdownRefusal: orNull(readOneOf(['incompatible', 'enum', 'unknown'])),
  oddInsights: orNull(readMap((value) => value as Json)),
  captions: orNull(readMap(readText)),
  manyComments: orNull(readMap(readInteger(0))),
  hiddenComments: orNull(readTexts),
  emptyPages: orNull(readInteger(0)),
  businesses: orNull(readMap(readBusiness)),
  unlistedPages: orNull(readTexts),
  businessRefusal: orNull(readOneOf(['permission', 'missing', 'empty'])),
  demographicsTwice: orNull(readBoolean),
  instagramMentions: orNull(readBoolean),
  deletedMedia: orNull(readTexts),
  brokenChildren: orNull(readTexts),
  fatalFields: orNull(readMap(readMap(readOneOf(['copyright-check', 'discovery-only'])))),
  deniedAccounts: orNull(readTexts),
  deniedEdges: orNull(readMap(readTexts)),
  badTokens: orNull(
    readMap(readOneOf(['expired', 'password', 'checkpoint', 'removed', 'revoked'])),
  ),
  vanishedAccounts: orNull(readTexts),
  tooMuchData: orNull(readInteger(1)),
  ageGatedAccounts: orNull(readMap(readOneOf(['absent', 'unknown']))),
  sensitiveHashtags: orNull(readTexts),
  hashtagRefusal: orNull(readOneOf(['parameter', 'server'])),
  hashtagEnd: orNull(readOneOf(['empty', 'again'])),
  hashtagNext: orNull(readBoolean),
  locale: orNull(readOneOf(['fr', 'pt'])),
  batchUsageHeaders: orNull(readOneOf(['items', 'outer', 'none'])),
  batchThrottle: orNull(readOneOf(['item', 'envelope'])),
  batchRefused: orNull(readBoolean),
  batchShort: orNull(readInteger(0)),
});

/** Reads conditions from JSON; throws a `ShapeError` that names the path. */
export function readConditions(value: unknown): ConditionsChanges {
  return readMembersOfConditions(value, '');
}
