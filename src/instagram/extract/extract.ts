import type { Source } from '../../engine/source.ts';
import type { InstagramStream } from '../streams/stream.ts';
import { createListCaches } from './list-cache.ts';
import type { ExtractContext, Extraction, SourceSettings } from './extraction.ts';
import { extractBreakdowns } from './breakdowns.ts';
import { extractComments } from './comments.ts';
import { extractInsights } from './insights.ts';
import { extractList } from './list.ts';
import { extractObject } from './object.ts';
import { extractSeries } from './series.ts';
import { extractTotals } from './totals.ts';

/** Size of a list's first page, nodes; each success doubles it, up to the configured size. */
const firstPageSize = 50;

/** The Instagram API as a source, with its settings. */
export interface InstagramSource extends Source {
  readonly settings: SourceSettings;
}

/** Creates a source with empty list caches. */
export function createSource(settings: SourceSettings): InstagramSource {
  const caches = createListCaches(Math.min(firstPageSize, settings.pageSize));
  return {
    settings,
    // The engine passes back the stream declarations of this source.
    pages: ({ stream, ...poll }) =>
      extract(stream as InstagramStream, { ...settings, ...poll, caches }),
    noteCommitted({ stream, account, nowMs }) {
      const { request } = stream as InstagramStream;
      if (request.kind === 'list') caches.of(account.id, request.edge).committedWholeMs = nowMs;
    },
  };
}

/**
 * Sends the requests of the stream's declaration and yields their pages.
 *
 * @throws as `Graph.get`, except the errors that an extractor attributes and reports as skipped
 */
export function extract(stream: InstagramStream, context: ExtractContext): Extraction {
  const { request } = stream;
  switch (request.kind) {
    case 'object':
      return extractObject(request, context);
    case 'list':
      return extractList(request, context);
    case 'insights':
      return extractInsights(request, context);
    case 'comments':
      return extractComments(request, context);
    case 'series':
      return extractSeries(request, context);
    case 'totals':
      return extractTotals(request, context);
    case 'breakdowns':
      return extractBreakdowns(request, context);
  }
}
