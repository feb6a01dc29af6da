import { changesOf, withNothing, withoutGone } from '../core/changes.ts';
import type { PublishMode } from '../core/changes.ts';
import type { Value } from '../core/json.ts';
import { recordKey } from '../core/key.ts';
import { tidyRefusals } from '../core/refusals.ts';
import type { Memory } from '../core/state.ts';
import type { Stream } from '../core/stream.ts';
import type { Gathered } from './batch.ts';
import type { Page } from './extraction.ts';

/** What decides which records of a page are worth publishing. */
export interface ChangesContext {
  readonly stream: Stream;
  readonly accountId: string;
  readonly page: Page;
  readonly memory: Memory;
  readonly mode: PublishMode;
  readonly nowMs: number;
  /** Whether what is gone is deleted by tombstones. */
  readonly tombstones: boolean;
}

/** Keeps what is new or changed; once the whole list is known, forgets what is gone. */
export function settleChanges(
  found: readonly Value[],
  { stream, accountId, page, memory, mode, nowMs, tombstones }: ChangesContext,
): Pick<Gathered, 'records' | 'memory' | 'gone'> {
  const keyed = found.map((record) => ({ key: nameOf(record, stream), record }));
  const changes = changesOf(keyed, memory.published, mode);
  const published = withNothing(changes.published, page.empty ?? []);
  const { records } = changes;
  const { present } = page;
  if (present === undefined) return { records, gone: [], memory: { ...memory, published } };
  const left = withoutGone(published, present);
  const refusals = tidyRefusals(memory.refusals, { nowMs, present });
  return {
    records,
    gone: tombstones
      ? left.gone.map((id) => recordKey(stream.key, { business_account_id: accountId, id }))
      : [],
    memory: { ...memory, published: left.published, refusals },
  };
}

/** What is listed is known by its id alone, as the list will say whether it is still there. */
function nameOf(record: Value, { key, source }: Stream): string {
  const listed = source.kind === 'list' || source.kind === 'insights';
  return listed ? (record['id'] as string) : recordKey(key, record);
}
