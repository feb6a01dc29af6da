import type { Login } from '../../engine/account.ts';
import type { Node } from '../../engine/json.ts';
import type { Stream } from '../../engine/stream.ts';
import type { Fields } from '../model/fields.ts';

/** One request of a series of daily values; `as` names each metric in the merged day. */
export interface SeriesRequest {
  readonly period: string;
  readonly metrics: Readonly<Record<string, string>>;
  /** These metrics of it reach back 30 days only and are left out of older windows. */
  readonly recentOnly: readonly string[];
}

/** One request for the totals of a day. */
export interface TotalsRequest {
  readonly metrics: readonly string[];
  /** Asked by its parts: each part named becomes a field. Such a metric must go alone. */
  readonly parts?: {
    readonly breakdown: string;
    readonly fields: Readonly<Record<string, string>>;
  };
}

/** The requests of a stream; every request that it can cause stands here. */
export type StreamRequest =
  | { readonly kind: 'object'; readonly fields: Fields }
  | {
      readonly kind: 'list';
      readonly edge: 'media' | 'stories' | 'tags';
      readonly fields: Fields;
      /** Fields that Instagram Login does not know; one of them fails a whole request. */
      readonly facebookOnly?: readonly string[];
    }
  | {
      readonly kind: 'insights';
      /** The list that names the media. */
      readonly edge: 'media' | 'stories';
      readonly listFields: Fields;
      /** Fields that show whether a media has moved, and those that other streams of the list need. */
      readonly besides?: Fields;
      /** Fields that Instagram Login does not know. */
      readonly facebookOnly?: readonly string[];
      /** The widest set of metrics that a listed media answers in one request, by login. */
      readonly metrics: (listed: Node, login: Login) => readonly string[];
      /** Metrics that only some media of a kind have: that one lacks one says nothing of others. */
      readonly sparse: readonly string[];
      /** A metric by its parts, in a request of its own: asked when its total has moved. */
      readonly parts?: { readonly metric: string; readonly breakdown: string };
    }
  | {
      readonly kind: 'comments';
      /** The list of media that says how many comments each has. */
      readonly listFields: Fields;
      /** Of these, what Instagram Login does not know. */
      readonly facebookOnly: readonly string[];
      /** Of a comment and of a reply. */
      readonly fields: Fields;
    }
  | { readonly kind: 'series'; readonly requests: readonly SeriesRequest[] }
  | { readonly kind: 'totals'; readonly requests: readonly TotalsRequest[] }
  | {
      readonly kind: 'breakdowns';
      readonly metric: string;
      readonly period: string;
      readonly breakdowns: readonly string[];
      /** The span that people are counted in, where the metric asks for one. */
      readonly timeframe?: string;
    };

/** A stream of the Instagram API: with the requests that bring its nodes. */
export interface InstagramStream extends Stream {
  readonly request: StreamRequest;
  /** True where it reads what other people wrote: that takes a permission of its own. */
  readonly readsPeople: boolean;
}

type Derived = 'list' | 'publishesList' | 'tracksNodes';

/** Creates a stream from its declaration; what its requests already say is derived from them. */
export function declareStream(declaration: Omit<InstagramStream, Derived>): InstagramStream {
  const { request } = declaration;
  return {
    ...declaration,
    list: listOf(request),
    publishesList: request.kind === 'list',
    tracksNodes: request.kind === 'list' || request.kind === 'insights',
  };
}

function listOf(request: StreamRequest): string | null {
  if (request.kind === 'comments') return 'media';
  return request.kind === 'list' || request.kind === 'insights' ? request.edge : null;
}
