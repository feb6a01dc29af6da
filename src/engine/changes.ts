import {
  changesOf,
  doubtOf,
  withNothing,
  withoutGone,
  type Doubt,
  type PublishMode,
} from './change-set.ts';
import type { Value } from './json.ts';
import { recordKey } from './key.ts';
import { tidyRefusals } from './refusals.ts';
import type { Checkpoint } from './state.ts';
import type { Stream } from './stream.ts';
import type { PageResult } from './batch.ts';
import type { Page } from './source.ts';

/** What decides which records of a page are worth publishing. */
export interface ChangesContext {
  readonly stream: Stream;
  readonly accountId: string;
  readonly page: Page;
  readonly checkpoint: Checkpoint;
  readonly mode: PublishMode;
  readonly nowMs: number;
  /** Whether what is gone is deleted by tombstones. */
  readonly tombstones: boolean;
}

/** What of a page is worth publishing, and what is remembered after it. */
export interface Settled extends Pick<PageResult, 'records' | 'checkpoint' | 'gone'> {
  /** Why nothing is taken for gone though it is not listed. */
  readonly doubt?: Doubt;
}

/** Keeps what is new or changed; once the whole list is known, and believed, forgets what is gone. */
export function detectChanges(
  found: readonly Value[],
  { stream, accountId, page, checkpoint, mode, nowMs, tombstones }: ChangesContext,
): Settled {
  const keyed = found.map((record) => ({ key: nameOf(record, stream), record }));
  const changes = changesOf(keyed, checkpoint.published, mode);
  const published = withNothing(changes.published, page.empty ?? []);
  const { records } = changes;
  const { scanned } = page;
  if (scanned === undefined) return { records, gone: [], checkpoint: { ...checkpoint, published } };
  const doubt = doubtOf({ ...checkpoint, published }, scanned, nowMs);
  if (doubt !== undefined) {
    return { records, gone: [], checkpoint: { ...checkpoint, published, doubtedMs: nowMs }, doubt };
  }
  const left = withoutGone(published, scanned);
  const refusals = tidyRefusals(checkpoint.refusals, { nowMs, present: scanned.present });
  return {
    records,
    gone: tombstones
      ? left.gone.map((id) => recordKey(stream.key, { business_account_id: accountId, id }))
      : [],
    checkpoint: { ...checkpoint, published: left.published, refusals, doubtedMs: null },
  };
}

/** What is listed is known by its id alone, as the list will say whether it is still there. */
function nameOf(record: Value, { key, tracksNodes }: Stream): string {
  return tracksNodes ? (record['id'] as string) : recordKey(key, record);
}
