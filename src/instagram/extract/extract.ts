import type { Stream } from '../../engine/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { extractBreakdowns } from './breakdowns.ts';
import { extractComments } from './comments.ts';
import { extractInsights } from './insights.ts';
import { extractList } from './list.ts';
import { extractObject } from './object.ts';
import { extractSeries } from './series.ts';
import { extractTotals } from './totals.ts';

/**
 * Asks the API what the stream's declaration says.
 *
 * @throws as `Graph.get`, less what an extractor isolates and reports as skipped
 */
export function extract(stream: Stream, context: ExtractContext): Extraction {
  const { source } = stream;
  switch (source.kind) {
    case 'object':
      return extractObject(source, context);
    case 'list':
      return extractList(source, context);
    case 'insights':
      return extractInsights(source, context);
    case 'comments':
      return extractComments(source, context);
    case 'series':
      return extractSeries(source, context);
    case 'totals':
      return extractTotals(source, context);
    case 'breakdowns':
      return extractBreakdowns(source, context);
  }
}
