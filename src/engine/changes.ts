import {
  changesOf,
  doubtOf,
  withNothing,
  withoutGone,
  type SuspectedTruncation,
  type PublishMode,
} from './change-set.ts';
import type { Value } from './json.ts';
import { recordKey } from './key.ts';
import { tidyRefusals } from './refusals.ts';
import type { Checkpoint } from './state.ts';
import type { Stream } from './stream.ts';
import type { PageResult } from './batch.ts';
import type { Page } from './source.ts';

/** The facts by which the changes of a page are detected. */
export interface ChangesContext {
  readonly stream: Stream;
  readonly accountId: string;
  readonly page: Page;
  readonly checkpoint: Checkpoint;
  readonly mode: PublishMode;
  readonly nowMs: number;
  /** True when tombstones delete entries that are gone. */
  readonly tombstones: boolean;
}

/** The changes of a page: records to publish, deleted keys, and the checkpoint after them. */
export interface DetectedChanges extends Pick<PageResult, 'records' | 'checkpoint' | 'gone'> {
  /** The suspicion because of which no missing entry counts as deleted. */
  readonly truncation?: SuspectedTruncation;
}

/** Detects new and changed records and, by a complete list that looks whole, deleted entries. */
export function detectChanges(
  pageRecords: readonly Value[],
  { stream, accountId, page, checkpoint, mode, nowMs, tombstones }: ChangesContext,
): DetectedChanges {
  const keyed = pageRecords.map((record) => {
    // A scan compares listed nodes by their ids.
    const key = stream.tracksNodes ? (record['id'] as string) : recordKey(stream.key, record);
    return { key, record };
  });
  const { records, ...changes } = changesOf(keyed, checkpoint.published, mode);
  const published = withNothing(changes.published, page.empty ?? []);
  const { scanned } = page;
  if (scanned === undefined) return { records, gone: [], checkpoint: { ...checkpoint, published } };
  const truncation = doubtOf({ ...checkpoint, published }, scanned, nowMs);
  if (truncation !== undefined) {
    const suspected = { ...checkpoint, published, doubtedMs: nowMs };
    return { records, gone: [], checkpoint: suspected, truncation };
  }
  const remaining = withoutGone(published, scanned);
  const refusals = tidyRefusals(checkpoint.refusals, { nowMs, present: scanned.present });
  const ids = tombstones ? remaining.gone : [];
  return {
    records,
    gone: ids.map((id) => recordKey(stream.key, { business_account_id: accountId, id })),
    checkpoint: { ...checkpoint, published: remaining.published, refusals, doubtedMs: null },
  };
}
