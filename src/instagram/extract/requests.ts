import { invalidPart } from '../../engine/dead-letters.ts';
import { DeadLetterError, SkipError, type Skipped } from '../../engine/errors.ts';
import { type Node, isNode, listOf } from '../../engine/json.ts';
import type { GraphRequest, Outcome } from '../../engine/ports.ts';
import { type Fields, pathsOf, rejectedAfter } from '../model/fields.ts';
import type { ExtractContext } from './extraction.ts';

/** Creates a request that spends the account's quota; `id` takes the place of `{media}` and the like. */
export function requestOf(
  endpoint: string,
  query: GraphRequest['query'],
  { account }: Pick<ExtractContext, 'account'>,
  id = account.id,
): GraphRequest {
  return { endpoint, path: endpoint.replace(/\{\w+\}/, () => id), query, accountId: account.id };
}

/**
 * Returns the entries of a page.
 * @param rejected - receives a dead letter for each entry that is not an object, with its path
 * @throws DeadLetterError `graph.bad-body` when the page holds no list
 */
export function nodesOf(body: Node, rejected: DeadLetterError[]): readonly Node[] {
  const data = body['data'];
  const entries = listOf(data);
  if (entries === undefined) {
    // The paging is removed: its URLs carry the token (Invariant 9).
    const raw = { ...body, paging: null };
    throw invalidPart({ path: 'data', expected: 'a list', received: data, raw }, 'graph.bad-body');
  }
  return entries.flatMap((entry, index) => {
    if (isNode(entry)) return [entry];
    const part = { path: `data[${index}]`, expected: 'an object', received: entry, raw: entry };
    rejected.push(invalidPart(part, 'graph.bad-body'));
    return [];
  });
}

/** Returns the cursor after the last item of a page; undefined without one. */
export function cursorOf(body: Node): string | undefined {
  const paging = body['paging'];
  const cursors = isNode(paging) ? paging['cursors'] : undefined;
  const after = isNode(cursors) ? cursors['after'] : undefined;
  return typeof after === 'string' && after !== '' ? after : undefined;
}

/**
 * Returns the cursor of the next page; undefined where `paging.next` is absent, null or empty: the
 * last page still has cursors, and an empty page may have a next one. Adds the cursor to `seen`.
 * @throws DeadLetterError `graph.bad-body` when there is a next page but no new cursor to reach it
 */
export function nextCursor(body: Node, seen: Set<string>): string | undefined {
  const paging = body['paging'];
  if (!isNode(paging) || (paging['next'] ?? '') === '') return undefined;
  const after = cursorOf(body);
  if (after !== undefined && !seen.has(after)) {
    seen.add(after);
    return after;
  }
  const cursors = paging['cursors'];
  const raw = JSON.stringify((isNode(cursors) ? cursors['after'] : undefined) ?? null);
  throw new DeadLetterError(
    'graph.bad-body',
    'field "paging.cursors.after": there is a next page, but no new cursor that leads to it',
    // The paging itself is not included: its URLs carry the token (Invariant 9).
    { path: 'paging.cursors.after', raw },
  );
}

type Sender = Pick<ExtractContext, 'graph' | 'signal'>;

/** Sends the requests of several subjects by `getEach`; yields each subject with its outcome. */
export async function* outcomesOf<T>(
  requests: ReadonlyMap<GraphRequest, T>,
  { graph, signal }: Sender,
): AsyncGenerator<readonly [subject: T, outcome: Outcome], void, undefined> {
  for await (const outcome of graph.getEach([...requests.keys()], signal)) {
    const subject = requests.get(outcome.request);
    if (subject !== undefined) yield [subject, outcome];
  }
}

/** Returns a `get` that sends the requests made until the next microtask together, by `getEach`. */
export function getTogether(sender: Sender): (request: GraphRequest) => Promise<Node> {
  let pending = new Map<GraphRequest, PromiseWithResolvers<Node>>();
  const flush = async (): Promise<void> => {
    const batch = pending;
    pending = new Map();
    try {
      for await (const [result, outcome] of outcomesOf(batch, sender)) {
        if ('node' in outcome) result.resolve(outcome.node);
        else result.reject(outcome.error);
      }
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
  };
  return (request) => {
    const result = Promise.withResolvers<Node>();
    if (pending.size === 0) queueMicrotask(() => void flush());
    pending.set(request, result);
    return result.promise;
  };
}

/** Awaits all results, in order. @throws the first error by position, after all have ended */
export async function allEnded<T>(promises: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** True when the account itself is gone or hidden, or a limit is reported as such an error. */
export function isOfAccount(error: unknown): boolean {
  return (
    error instanceof SkipError && (error.code === 'graph.ambiguous' || error.code === 'graph.gone')
  );
}

/**
 * Finds the metrics that a rejection excludes: those `named`, or all when too few people are
 * counted.
 * @throws the error itself when it excludes none
 */
export function excludedBy(error: unknown, requested: readonly string[]) {
  if (!(error instanceof SkipError)) throw error;
  const { code: reason } = error;
  const named = requested.filter((metric) => error.subjects.includes(metric));
  if (named.length > 0 && !isOfAccount(error)) return { reason, subjects: named, named: true };
  if (reason !== 'graph.not-enough-users') throw error;
  return { reason, subjects: requested, named: false };
}

/**
 * Sends a request, and repeats it without each field that the API rejects: one fails the whole
 * request. `skipped` receives the path of each excluded field; `fields` are given when some are
 * within lists.
 * @throws every other error of `request`, and a rejection that names no further field
 */
export async function withoutRejectedFields<T>(
  skipped: Skipped[],
  request: (excluded: ReadonlySet<string>) => Promise<T>,
  fields: Fields = {},
): Promise<T> {
  const before = excludedFields(skipped);
  for (let excluded = before; ;) {
    try {
      const answer = await request(excluded);
      for (const subject of excluded) {
        if (!before.has(subject)) skipped.push({ reason: 'graph.field-refused', subject });
      }
      return answer;
    } catch (error) {
      excluded = newlyRejected(error, excluded, fields);
    }
  }
}

/**
 * Excludes the fields that a rejection names.
 * @param requestedWithout - the fields that the rejected request had excluded
 * @returns true when the request is to be repeated with fewer fields
 */
export function noteRejectedFields(
  error: Error,
  requestedWithout: ReadonlySet<string>,
  skipped: Skipped[],
): boolean {
  if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') return false;
  const known = excludedFields(skipped);
  for (const subject of error.subjects) {
    if (!known.has(subject)) skipped.push({ reason: error.code, subject });
  }
  return error.subjects.some((field) => !requestedWithout.has(field));
}

export function excludedFields(skipped: readonly Skipped[]): ReadonlySet<string> {
  const fields = skipped.filter(({ reason }) => reason === 'graph.field-refused');
  return new Set(fields.map(({ subject }) => subject));
}

/** @throws the error when it names no field that can still be excluded */
function newlyRejected(
  error: unknown,
  excluded: ReadonlySet<string>,
  fields: Fields,
): ReadonlySet<string> {
  if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') throw error;
  const after = error.subjects.reduce(
    (soFar, name) => rejectedAfter(name, pathsOf(name, fields), soFar) ?? soFar,
    excluded,
  );
  if (after === excluded) throw error;
  return after;
}
