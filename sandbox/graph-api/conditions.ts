import type { ConditionsChanges, ConditionsSpec } from './conditions-spec.ts';
import type { JsonObject } from './json.ts';

/** The current conditions of a world. */
export interface Conditions {
  /** Increases with every change. */
  readonly version: number;
  readonly removedMetrics: ReadonlySet<string>;
  readonly deletedMedia: ReadonlySet<string>;
  readonly hiddenComments: ReadonlySet<string>;
  readonly brokenChildren: ReadonlySet<string>;
  readonly deniedAccounts: ReadonlySet<string>;
  readonly vanishedAccounts: ReadonlySet<string>;
  /** True when the conditions change any media. */
  readonly altersMedia: boolean;
  /** The conditions as they were set. */
  readonly spec: ConditionsSpec;
  /** Replaces each named condition as a whole; null or undefined clears one. */
  set(changes: ConditionsChanges): void;
  /** Clears all conditions. */
  clear(): void;
}

/** Creates the conditions of a new world: none. */
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
    get hiddenComments() {
      return sets.hiddenComments;
    },
    get altersMedia() {
      return sets.altersMedia;
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

/** True when an account's metric is rejected with a breakdown. */
export function isBreakdownRefused(
  accountId: string,
  [metric, breakdown]: readonly [metric: string, breakdown: string],
  { refusedBreakdowns }: ConditionsSpec,
): boolean {
  return refusedBreakdowns?.[accountId]?.includes(`${metric} ${breakdown}`) === true;
}

const ALTERING = ['deletedMedia', 'hiddenComments', 'captions', 'manyComments'] as const;

function setsOf(spec: ConditionsSpec) {
  return {
    removedMetrics: new Set(spec.removedMetrics),
    deletedMedia: new Set(spec.deletedMedia),
    hiddenComments: new Set(spec.hiddenComments),
    altersMedia: ALTERING.some((name) => spec[name] !== undefined),
    brokenChildren: new Set(spec.brokenChildren),
    deniedAccounts: new Set(spec.deniedAccounts),
    vanishedAccounts: new Set(spec.vanishedAccounts),
  };
}

/** Formats the conditions for the admin API. */
export function describeConditions({ spec }: Conditions): JsonObject {
  return JSON.parse(JSON.stringify(spec)) as JsonObject;
}
