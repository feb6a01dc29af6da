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

/** Nodes of the first page of a list; each page that succeeds doubles it up to the one configured. */
const firstPageSize = 50;

/** The Instagram API as a source, with the settings that it was created with. */
export interface InstagramSource extends Source {
  readonly settings: SourceSettings;
}

/** Creates a source that has scanned no list yet. */
export function createSource(settings: SourceSettings): InstagramSource {
  const caches = createListCaches(Math.min(firstPageSize, settings.pageSize));
  return {
    settings,
    // The engine hands back the declarations that it was given.
    pages: ({ stream, ...poll }) =>
      extract(stream as InstagramStream, { ...settings, ...poll, caches }),
    noteCommitted({ stream, account, nowMs }) {
      const { request } = stream as InstagramStream;
      if (request.kind === 'list') caches.of(account.id, request.edge).committedWholeMs = nowMs;
    },
  };
}

/**
 * Asks the API what the stream's declaration says.
 *
 * @throws as `Graph.get`, less what an extractor isolates and reports as skipped
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
