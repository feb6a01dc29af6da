import { DeadLetterError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import type { Value } from '../core/json.ts';
import type { Origin, Stream } from '../core/stream.ts';
import type { Page } from './extraction.ts';

/** What became of a page's nodes. Invariant 3: every node is in exactly one of these. */
export interface MappedPage {
  readonly records: readonly Value[];
  readonly refused: readonly DeadLetterError[];
  readonly skipped: readonly ErrorCode[];
  readonly unknown: ReadonlySet<string>;
}

/** Maps each node; one that cannot be mapped never harms its neighbours. */
export function mapPage(stream: Stream, page: Page, origin: Origin): MappedPage {
  const records: Value[] = [];
  const refused: DeadLetterError[] = [...(page.rejected ?? [])];
  const skipped = page.skipped.map(({ reason }) => reason);
  const unknown = new Set<string>();
  for (const node of page.nodes) {
    try {
      const mapped = stream.toRecord(node, origin);
      if (mapped.kind === 'skipped') {
        skipped.push(mapped.reason);
      } else {
        records.push(mapped.record);
        for (const field of mapped.unknown) unknown.add(field);
      }
    } catch (error) {
      if (!(error instanceof DeadLetterError)) throw error;
      refused.push(error);
    }
  }
  return { records, refused, skipped, unknown };
}
