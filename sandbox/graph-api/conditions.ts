import type { Locale } from './error-translations.ts';
import type { JsonObject } from './json.ts';
import type { Reader } from './shape.ts';
import { readInteger, readList, readMap, readMembers, readOneOf, readText } from './shape.ts';

/** Why a token that the world knows is refused: 463, 460, 459, 458, 467. */
export type TokenTrouble = 'expired' | 'password' | 'checkpoint' | 'removed' | 'revoked';

/** The error with which a field fails a whole page: 9005 or 36104. */
export type FatalField = 'copyright-check' | 'discovery-only';

/** What has changed under one's feet; ids and names as the API has them. */
export interface ConditionsSpec {
  /** Metrics that left the enums of media and accounts, in every version. */
  readonly removedMetrics?: readonly string[];
  /** Media id to the metrics that the API does not support for it. */
  readonly refusedMetrics?: Readonly<Record<string, readonly string[]>>;
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
}

/** The conditions of a world as they are now. */
export interface Conditions {
  /** Grows with every change. */
  readonly version: number;
  readonly removedMetrics: ReadonlySet<string>;
  readonly deletedMedia: ReadonlySet<string>;
  readonly brokenChildren: ReadonlySet<string>;
  readonly deniedAccounts: ReadonlySet<string>;
  readonly vanishedAccounts: ReadonlySet<string>;
  /** Everything as it was set. */
  readonly spec: ConditionsSpec;
  /** Replaces the conditions that are named, each whole; null or undefined clears one. */
  set(changes: ConditionsChanges): void;
  /** Back to a world without trouble. */
  clear(): void;
}

/** Conditions to replace; null or undefined clears one. */
export type ConditionsChanges = {
  readonly [K in keyof ConditionsSpec]: ConditionsSpec[K] | null | undefined;
};

/** The conditions of a new world: none. */
export function createConditions(): Conditions {
  let version = 0;
  let spec: ConditionsSpec = {};
  let sets = setsOf(spec);
  const replace = (next: ConditionsSpec): void => {
    version += 1;
    spec = next;
    sets = setsOf(spec);
  };
  return {
    get version() {
      return version;
    },
    get removedMetrics() {
      return sets.removedMetrics;
    },
    get deletedMedia() {
      return sets.deletedMedia;
    },
    get brokenChildren() {
      return sets.brokenChildren;
    },
    get deniedAccounts() {
      return sets.deniedAccounts;
    },
    get vanishedAccounts() {
      return sets.vanishedAccounts;
    },
    get spec() {
      return spec;
    },
    set: (changes) => {
      const kept = Object.entries({ ...spec, ...changes }).filter(
        ([, value]) => value !== null && value !== undefined,
      );
      replace(Object.fromEntries(kept));
    },
    clear: () => {
      replace({});
    },
  };
}

function setsOf(spec: ConditionsSpec) {
  return {
    removedMetrics: new Set(spec.removedMetrics),
    deletedMedia: new Set(spec.deletedMedia),
    brokenChildren: new Set(spec.brokenChildren),
    deniedAccounts: new Set(spec.deniedAccounts),
    vanishedAccounts: new Set(spec.vanishedAccounts),
  };
}

const readTexts = readList(readText);

function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, path) => (value === null ? null : read(value, path));
}

const readMembersOfConditions = readMembers<ConditionsChanges>({
  removedMetrics: orNull(readTexts),
  refusedMetrics: orNull(readMap(readTexts)),
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
});

/** Reads conditions from JSON; throws a `ShapeError` that names the place. */
export function readConditions(value: unknown): ConditionsChanges {
  return readMembersOfConditions(value, '');
}

/** The conditions as the simulator's own endpoint shows them. */
export function describeConditions({ spec }: Conditions): JsonObject {
  return JSON.parse(JSON.stringify(spec)) as JsonObject;
}
