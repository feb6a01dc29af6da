import {
  changesOf,
  suspectTruncation,
  withNothing,
  withoutGone,
  type SuspectedTruncation,
} from './change-set.ts';
import type { Value } from './json.ts';
import { recordKey } from './key.ts';
import { tidyRejections } from './rejections.ts';
import type { Checkpoint, Published } from './state.ts';
import type { PageResult } from './batch.ts';
import type { PollContext } from './poll-context.ts';
import type { Page } from './source.ts';
import type { Stream } from './stream.ts';

/** The changes of a page: records to publish, deleted keys, and the checkpoint after them. */
export interface DetectedChanges extends Pick<PageResult, 'records' | 'checkpoint' | 'gone'> {
  /** The suspected truncation of the list: no missing entry counts as deleted. */
  readonly truncation?: SuspectedTruncation;
}

/**
 * Detects the records to publish: by the stream's own rule, all of them, or only the changed ones.
 * Detects the deleted entries too, if the page completes a list that does not look truncated.
 */
export function detectChanges(
  mapped: readonly Value[],
  page: Page,
  checkpoint: Checkpoint,
  { poll, tools }: PollContext,
): DetectedChanges {
  const { stream, account, startedMs: nowMs } = poll;
  const { lookbackMs, publish, tombstones, fieldRules } = tools.settings;
  if (stream.detectChanges !== undefined) {
    const { coveredUntilMs } = page;
    const changes = stream.detectChanges(mapped, { checkpoint, nowMs, lookbackMs, coveredUntilMs });
    const rules = fieldRules[stream.name];
    // A day has the known values of its metrics, also of those that are excluded by now.
    const records = rules === undefined ? changes.records : changes.records.map(rules.exclude);
    return { ...changes, records, gone: [] };
  }
  const mode = publish[stream.name] ?? 'always';
  if (!stream.tracksNodes && mode === 'always') return { records: mapped, gone: [], checkpoint };
  const keyed = mapped.map((record) => {
    // A scan compares listed nodes by their ids.
    const key = stream.tracksNodes ? (record['id'] as string) : recordKey(stream.key, record);
    return { key, record };
  });
  const { records, ...changes } = changesOf(keyed, checkpoint.published, mode);
  const published = withinBound(withNothing(changes.published, page.empty ?? []), stream);
  const { scanned } = page;
  if (scanned === undefined) return { records, gone: [], checkpoint: { ...checkpoint, published } };
  const truncation = suspectTruncation({ ...checkpoint, published }, scanned, nowMs);
  if (truncation !== undefined) {
    const suspected = { ...checkpoint, published, truncationSuspectedMs: nowMs };
    return { records, gone: [], checkpoint: suspected, truncation };
  }
  const remaining = withoutGone(published, scanned);
  const rejections = tidyRejections(checkpoint.rejections, { nowMs, present: scanned.present });
  const ids = tombstones ? remaining.gone : [];
  return {
    records,
    gone: ids.map((id) => recordKey(stream.key, { business_account_id: account.id, id })),
    checkpoint: {
      ...checkpoint,
      published: remaining.published,
      rejections,
      truncationSuspectedMs: null,
    },
  };
}

/** The most fingerprints of a stream without a list, 16 bytes each. */
const mostWithoutList = 20_000;

/**
 * Keeps the latest fingerprints of a stream that no scan of a list cleans up (Invariant 10). A record
 * without its fingerprint is published once more, if it is read again.
 */
function withinBound(published: Published, { list }: Stream): Published {
  if (list !== null || published.size <= mostWithoutList) return published;
  return new Map([...published].slice(-mostWithoutList));
}
