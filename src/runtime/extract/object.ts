import { fieldsParameter } from '../../core/fields.ts';
import type { Stream } from '../../core/stream.ts';
import type { ExtractContext, Extraction, Skipped } from '../extraction.ts';
import { withoutRefusedFields } from './refusals.ts';

type ObjectSource = Extract<Stream['source'], { kind: 'object' }>;

/** One request, one node: `/{account}?fields=…`. */
export async function* extractObject(source: ObjectSource, context: ExtractContext): Extraction {
  const { graph, account, signal } = context;
  const skipped: Skipped[] = [];
  const node = await withoutRefusedFields(skipped, (refused) =>
    graph.get(
      {
        endpoint: '/{account}',
        path: `/${account.id}`,
        query: { fields: fieldsParameter(source.fields, refused) },
        accountId: account.id,
      },
      signal,
    ),
  );
  yield { nodes: [node], skipped, coveredUntilMs: null };
}
