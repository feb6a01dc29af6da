import { readOrReject } from './dead-letters.ts';
import type { PageResult } from './batch.ts';
import type { DeadLetterError } from './errors.ts';
import type { Value } from './json.ts';
import type { Origin, Stream } from './stream.ts';
import type { Page } from './source.ts';

export type MappedPage = Pick<PageResult, 'records' | 'rejected' | 'skipped' | 'unknown'>;

/**
 * Maps each node to a record, a dead letter or a skip; its neighbours are published (Invariant 3).
 * A record may have dead letters of its invalid parts.
 */
export function mapPage(stream: Stream, page: Page, origin: Origin): MappedPage {
  const records: Value[] = [];
  const rejected: DeadLetterError[] = [...(page.rejected ?? [])];
  const skipped = page.skipped.map(({ reason }) => reason);
  const unknown = new Set<string>();
  for (const node of page.nodes) {
    const mapped = readOrReject(rejected, () => stream.toRecord(node, origin));
    if (mapped?.kind === 'skipped') skipped.push(mapped.reason);
    if (mapped?.kind !== 'record') continue;
    records.push(mapped.record);
    for (const error of mapped.rejected ?? []) rejected.push(error);
    for (const field of mapped.unknown) unknown.add(field);
  }
  return { records, rejected, skipped, unknown };
}
