import { readOrReject } from './dead-letters.ts';
import type { DeadLetterError, ErrorCode } from './errors.ts';
import type { Value } from './json.ts';
import type { Origin, Stream } from './stream.ts';
import type { Page } from './source.ts';

/** A page's nodes as records, dead letters or skipped (Invariant 3); a record may leave dead letters of its parts. */
export interface MappedPage {
  readonly records: readonly Value[];
  readonly refused: readonly DeadLetterError[];
  readonly skipped: readonly ErrorCode[];
  readonly unknown: ReadonlySet<string>;
}

/** Maps each node; a node that is invalid is dead-lettered, and its neighbours are published. */
export function mapPage(stream: Stream, page: Page, origin: Origin): MappedPage {
  const records: Value[] = [];
  const refused: DeadLetterError[] = [...(page.rejected ?? [])];
  const skipped = page.skipped.map(({ reason }) => reason);
  const unknown = new Set<string>();
  for (const node of page.nodes) {
    const mapped = readOrReject(refused, () => stream.toRecord(node, origin));
    if (mapped?.kind === 'skipped') skipped.push(mapped.reason);
    if (mapped?.kind !== 'record') continue;
    records.push(mapped.record);
    for (const error of mapped.rejected ?? []) refused.push(error);
    for (const field of mapped.unknown) unknown.add(field);
  }
  return { records, refused, skipped, unknown };
}
