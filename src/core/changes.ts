import { fingerprint, keyNumber } from './fingerprint.ts';
import type { Value } from './json.ts';
import type { Published } from './state.ts';

/** Whether a record that says nothing new is published again. */
export const publishModes = ['changes', 'always'] as const;

/** One of `publishModes`. */
export type PublishMode = (typeof publishModes)[number];

/** The fingerprint of what was asked for and had nothing to publish. */
export const nothing = 0n;

/** A record and its key. */
export interface Keyed {
  readonly key: string;
  readonly record: Value;
}

/** Which records are worth publishing, and what has been published then. */
export interface Changes {
  readonly records: readonly Value[];
  readonly published: Published;
}

/** Keeps what differs from what was last published under its key. */
export function changesOf(
  found: readonly Keyed[],
  published: Published,
  mode: PublishMode,
): Changes {
  const records: Value[] = [];
  const news = new Map<string, bigint>();
  for (const { key, record } of found) {
    const name = keyNumber(key);
    const print = fingerprint(record);
    const isNew = (news.get(name) ?? published.get(name)) !== print;
    if (mode === 'always' || isNew) records.push(record);
    if (isNew) news.set(name, print);
  }
  // What is remembered is large, and most pages of most polls bring no news.
  return { records, published: news.size === 0 ? published : new Map([...published, ...news]) };
}

/** Remembers what was asked for and had nothing, unless something was published before. */
export function withNothing(published: Published, keys: readonly string[]): Published {
  const names = keys.map(keyNumber).filter((name) => !published.has(name));
  return names.length === 0
    ? published
    : new Map([...published, ...names.map((name) => [name, nothing] as const)]);
}

/** What is left when only these keys are still there, and the keys that are gone. */
export function withoutGone(
  published: Published,
  present: ReadonlySet<string>,
): { readonly published: Published; readonly gone: readonly string[] } {
  const names = new Set([...present].map(keyNumber));
  const gone = [...published].filter(([name]) => !names.has(name));
  if (gone.length === 0) return { published, gone: [] };
  return {
    published: new Map([...published].filter(([name]) => names.has(name))),
    gone: gone.filter(([, print]) => print !== nothing).map(([name]) => name),
  };
}
