import { SkipError, type Skipped } from '../../engine/errors.ts';
import type { Node } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import type { WebhookChange } from '../../engine/webhooks.ts';
import type { ExtractContext } from './extraction.ts';
import { excludedFields, noteRejectedFields, outcomesOf } from './requests.ts';

/** The object of a change. */
export interface ReportedObject {
  readonly change: WebhookChange;
  readonly id: string;
}

/** The answers to the requests of some changes. */
interface ReadChanges<T> {
  readonly nodes: ReadonlyMap<T, Node>;
  /** Objects that are gone or hidden, and fields that the API rejects. */
  readonly skipped: readonly Skipped[];
  /** Changes whose requests failed for a reason that may pass. */
  readonly unanswered: ReadonlySet<WebhookChange>;
}

/**
 * Requests the object of each subject, again without fields that the API rejects.
 * @throws as `Graph.getEach`; the first error when every request fails for a reason that may pass
 */
export async function readChanges<T extends ReportedObject>(
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
  const unanswered = new Set<WebhookChange>();
  for (const { subject, error } of failed) {
    if (error instanceof SkipError) skipped.push({ reason: error.code, subject: subject.id });
    else unanswered.add(subject.change);
  }
  const [first] = failed;
  if (first !== undefined && unanswered.size === subjects.length) throw first.error;
  return { nodes, skipped, unanswered };
}
