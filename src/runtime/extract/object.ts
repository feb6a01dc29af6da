import { fieldsParameter } from '../../core/fields.ts';
import type { Stream } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Skipped } from '../extraction.ts';
import { withoutRefusedFields } from './refusals.ts';

type ObjectSource = Extract<Stream['source'], { kind: 'object' }>;

/** One node: the account itself, asked with those of other accounts that are due. */
export async function* extractObject(source: ObjectSource, context: ExtractContext): Extraction {
  const { account, catalogs, graph, nowMs, profiles, signal } = context;
  const skipped: Skipped[] = [];
  const node = await withoutRefusedFields(skipped, (refused) =>
    profiles.get({
      account,
      fields: fieldsParameter(source.fields, refused),
      graph,
      nowMs,
      signal,
    }),
  );
  const count = node['media_count'];
  if (typeof count === 'number') catalogs.of(account.id, 'media').noteClaim(count, nowMs);
  yield { nodes: [node], skipped, coveredUntilMs: null };
}
