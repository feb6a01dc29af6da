import { fieldsParameter } from '../model/fields.ts';
import type { InstagramStream } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import type { Skipped } from '../../engine/errors.ts';
import { withoutRejectedFields } from './rejected-fields.ts';

type ObjectSource = Extract<InstagramStream['request'], { kind: 'object' }>;

/** Yields one node: the account itself. */
export async function* extractObject(source: ObjectSource, context: ExtractContext): Extraction {
  const { account, caches, graph, nowMs, signal } = context;
  const skipped: Skipped[] = [];
  const node = await withoutRejectedFields(skipped, (excluded) => {
    const fields = fieldsParameter(source.fields, excluded);
    const path = `/${account.id}`;
    return graph.get(
      { endpoint: '/{account}', path, query: { fields }, accountId: account.id },
      signal,
    );
  });
  const count = node['media_count'];
  if (typeof count === 'number') caches.of(account.id, 'media').noteReportedCount(count, nowMs);
  yield { nodes: [node], skipped, coveredUntilMs: null };
}
