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

/** Why a token that the world knows is refused: 463, 460, 459, 458, 467. */
export type TokenTrouble = 'expired' | 'password' | 'checkpoint' | 'removed' | 'revoked';

/** The error with which a field fails a whole page: 9005 or 36104. */
export type FatalField = 'copyright-check' | 'discovery-only';

/** Changes of the world that a running program meets; ids and names as the API has them. */
export interface ConditionsSpec {
  /** Metrics that left the enums of media and accounts, in every version. */
  readonly removedMetrics?: readonly string[];
  /** Media id to the metrics that the API does not support for it. */
  readonly refusedMetrics?: Readonly<Record<string, readonly string[]>>;
  /** The wording of a metric's rejection; default `kind`. */
  readonly refusalWording?: 'kind' | 'media' | 'plain' | 'nameless';
  /** Media id to the `values` of the first metric of its insights. */
  readonly oddInsights?: Readonly<Record<string, Json>>;
  /** Media id to its caption, which may be no well-formed text. */
  readonly captions?: Readonly<Record<string, string>>;
  /** Media id to the number of its comments, one a second from its creation on. */
  readonly manyComments?: Readonly<Record<string, number>>;
  /** Comments and replies that are counted and not listed. */
  readonly hiddenComments?: readonly string[];
  /** Pages, this many, whose `instagram_business_account` is an empty list. */
  readonly emptyPages?: number;
  /** The demographics by city have two entries of one name, which add up. */
  readonly demographicsTwice?: boolean;
  /** Posts, stories and children of albums that are gone. */
  readonly deletedMedia?: readonly string[];
  /** Children whose fields cannot be read: expanding them fails the request with 100/33. */
  readonly brokenChildren?: readonly string[];
  /** Account id to the fields that fail every read of its media. */
  readonly fatalFields?: Readonly<Record<string, Readonly<Record<string, FatalField>>>>;
  /** Accounts that are listed and may not be read. */
  readonly deniedAccounts?: readonly string[];
  /** Account id to the edges (`tags`, and `comments` of its media) that may not be read. */
  readonly deniedEdges?: Readonly<Record<string, readonly string[]>>;
  readonly badTokens?: Readonly<Record<string, TokenTrouble>>;
  /** Accounts that exist no more. */
  readonly vanishedAccounts?: readonly string[];
  /** A list that is not empty fails when asked for more than this many a page. */
  readonly tooMuchData?: number;
  /** The language of what an error says to the user; undefined is English. */
  readonly locale?: Locale;
  /** The answer that carries the usage headers of a batch's items; default `items`. */
  readonly batchUsageHeaders?: 'items' | 'outer' | 'none';
  /** The answer that carries a limit's error: the item that exceeds it, or the whole batch; default `item`. */
  readonly batchThrottle?: 'item' | 'envelope';
  /** The host refuses every batch. */
  readonly batchRefused?: boolean;
  /** Only the first so many items of a batch are answered. */
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

const readMembersOfConditions = readMembers<ConditionsChanges>({
  removedMetrics: orNull(readTexts),
  refusedMetrics: orNull(readMap(readTexts)),
  refusalWording: orNull(readOneOf(['kind', 'media', 'plain', 'nameless'])),
  oddInsights: orNull(readMap((value) => value as Json)),
  captions: orNull(readMap(readText)),
  manyComments: orNull(readMap(readInteger(0))),
  hiddenComments: orNull(readTexts),
  emptyPages: orNull(readInteger(0)),
  demographicsTwice: orNull(readBoolean),
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
  locale: orNull(readOneOf(['fr', 'pt'])),
  batchUsageHeaders: orNull(readOneOf(['items', 'outer', 'none'])),
  batchThrottle: orNull(readOneOf(['item', 'envelope'])),
  batchRefused: orNull(readBoolean),
  batchShort: orNull(readInteger(0)),
});

/** Reads conditions from JSON; throws a `ShapeError` that names the place. */
export function readConditions(value: unknown): ConditionsChanges {
  return readMembersOfConditions(value, '');
}
