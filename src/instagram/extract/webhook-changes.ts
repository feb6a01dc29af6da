import { SkipError, type Skipped } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { ExtractContext } from './extraction.ts';
import { excludedFields, outcomesOf } from './requests.ts';

/** The answers to the requests of some changes. */
interface ReadChanges<T> {
  readonly nodes: ReadonlyMap<T, Node>;
  /** Objects that are gone or hidden, and fields that the API rejects. */
  readonly skipped: readonly Skipped[];
  /** Subjects whose requests failed for a reason that may pass. */
  readonly unanswered: readonly T[];
}

/**
 * Requests the object of each subject, again without fields that the API rejects.
 * @throws as `Graph.getEach`; the first error when every request fails for a reason that may pass
 */
export async function readChanges<T extends { readonly id: string }>(
  subjects: readonly T[],
  requestFor: (subject: T, excluded: ReadonlySet<string>) => GraphRequest,
  context: ExtractContext,
): Promise<ReadChanges<T>> {
  const nodes = new Map<T, Node>();
  const skipped: Skipped[] = [];
  const failed: { readonly subject: T; readonly error: Error }[] = [];
  for (let open = subjects; open.length > 0;) {
    const excluded = excludedFields(skipped);
    const requests = new Map(open.map((one) => [requestFor(one, excluded), one] as const));
    const repeated: T[] = [];
    for await (const [subject, outcome] of outcomesOf(requests, context)) {
      if ('node' in outcome) nodes.set(subject, outcome.node);
      else if (noteRejectedFields(outcome.error, excluded, skipped)) repeated.push(subject);
      else failed.push({ subject, error: outcome.error });
    }
    open = repeated;
  }
  const unanswered: T[] = [];
  for (const { subject, error } of failed) {
    if (error instanceof SkipError) skipped.push({ reason: error.code, subject: subject.id });
    else unanswered.push(subject);
  }
  const [first] = failed;
  if (first !== undefined && unanswered.length === subjects.length) throw first.error;
  return { nodes, skipped, unanswered };
}

/** Excludes the fields that a rejection names; true when the request is to be repeated. */
function noteRejectedFields(
  error: Error,
  excluded: ReadonlySet<string>,
  skipped: Skipped[],
): boolean {
  if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') return false;
  const known = excludedFields(skipped);
  for (const subject of error.subjects) {
    if (!known.has(subject)) skipped.push({ reason: error.code, subject });
  }
  return error.subjects.some((field) => !excluded.has(field));
}
