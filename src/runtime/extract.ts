import type { Stream } from '../core/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { extractBreakdowns } from './extract/breakdowns.ts';
import { extractComments } from './extract/comments.ts';
import { extractInsights } from './extract/insights.ts';
import { extractList } from './extract/list.ts';
import { extractObject } from './extract/object.ts';
import { extractSeries } from './extract/series.ts';
import { extractTotals } from './extract/totals.ts';

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
