import { readOrReject } from './dead-letters.ts';
import type { DeadLetterError, ErrorCode } from './errors.ts';
import type { Value } from './json.ts';
import type { Origin, Stream } from './stream.ts';
import type { Page } from './source.ts';

/**
 * A page's nodes as records, dead letters or skipped (Invariant 3). A record may have dead letters
 * of its invalid parts.
 */
export interface MappedPage {
  readonly records: readonly Value[];
  readonly rejected: readonly DeadLetterError[];
  readonly skipped: readonly ErrorCode[];
  readonly unknown: ReadonlySet<string>;
}

/** Maps each node; a node that is invalid is dead-lettered, and its neighbours are published. */
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
