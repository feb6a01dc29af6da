import type { PublishMode } from '../../engine/change-set.ts';
import type { Login } from '../../engine/account.ts';
import type { Node } from '../../engine/json.ts';
import type { Stream } from '../../engine/stream.ts';
import type { Fields } from '../model/fields.ts';

/** One request of daily values; `metrics` maps each metric to its name in the merged day. */
export interface SeriesRequest {
  readonly period: string;
  readonly metrics: Readonly<Record<string, string>>;
  /** Metrics that reach back only 30 days; older windows omit them. */
  readonly recentOnly: readonly string[];
}

export interface TotalsRequest {
  readonly metrics: readonly string[];
  /** The breakdown of a metric, which must be requested alone. */
  readonly parts?: {
    readonly breakdown: string;
    /** The field of each part, or the one field that maps the parts to their totals. */
    readonly fields: Readonly<Record<string, string>> | string;
  };
}

/** A metric in a request of its own for each media: by its parts, or as media may reject it. */
export interface SeparateMetric {
  readonly metric: string;
  /** The breakdown of its parts; they are requested when the metric of the media has changed. */
  readonly breakdown?: string;
  /** True where it is requested only if `STREAM_<NAME>_EXTRA` names it. */
  readonly isOptIn: boolean;
  /** The only login whose API has it. */
  readonly login?: Login;
  /** The only `media_product_type` that has it. */
  readonly product?: string;
}

export type StreamRequest =
  | { readonly kind: 'object'; readonly fields: Fields }
  | {
      readonly kind: 'list';
      /** The edge of the account that lists the nodes, such as `media`. */
      readonly edge: string;
      readonly fields: Fields;
      /** Fields that Instagram Login does not support; one of them fails a whole request. */
      readonly facebookOnly?: readonly string[];
    }
  | {
      readonly kind: 'insights';
      readonly edge: 'media' | 'stories';
      readonly listFields: Fields;
      /** Fields that show a change of a media, and fields that other streams of the list need. */
      readonly besides?: Fields;
      readonly facebookOnly?: readonly string[];
      /** The widest set of metrics that a listed media answers in one request, by login. */
      readonly metrics: (listed: Node, login: Login) => readonly string[];
      /** Metrics that only some media of a kind have; a rejection never excludes the kind. */
      readonly sparse: readonly string[];
      /** Metrics in requests of their own, by the field of the record. */
      readonly separate: Readonly<Record<string, SeparateMetric>>;
    }
  | {
      readonly kind: 'children';
      /** The fields of a listed media, without its children. */
      readonly listFields: Fields;
      readonly fields: Fields;
    }
  | {
      readonly kind: 'comments';
      /** The list of media, with the number of comments of each. */
      readonly listFields: Fields;
      readonly facebookOnly: readonly string[];
      readonly fields: Fields;
    }
  | {
      /** One object for each change of a webhook; a poll of the schedule requests nothing. */
      readonly kind: 'mentions';
      readonly mediaFields: Fields;
      readonly commentFields: Fields;
    }
  | { readonly kind: 'series'; readonly requests: readonly SeriesRequest[] }
  | {
      readonly kind: 'totals';
      readonly requests: readonly TotalsRequest[];
      /** The age of the oldest days that are completed when a rejected metric is answered again. */
      readonly catchUpMs: number;
    }
  | {
      readonly kind: 'breakdowns';
      readonly metric: string;
      readonly period: string;
      readonly breakdowns: readonly string[];
      /** The time span in which people are counted, when the metric requires one. */
      readonly timeframe?: string;
    }
  | {
      readonly kind: 'public';
      /** Listed accounts of others themselves, their media, or the media of listed hashtags. */
      readonly of: 'users' | 'media' | 'hashtags';
      readonly fields: Fields;
    };

export type RequestOf<K extends StreamRequest['kind']> = Extract<StreamRequest, { kind: K }>;

/** A function for each kind of request. */
export type ByKind<Rest extends readonly unknown[], Result> = {
  readonly [K in StreamRequest['kind']]: (request: RequestOf<K>, ...rest: Rest) => Result;
};

/** Calls the function of a request's kind. */
export function callByKind<Rest extends readonly unknown[], Result>(
  functions: ByKind<Rest, Result>,
  request: StreamRequest,
  ...rest: Rest
): Result {
  // The compiler does not relate the function's type to the request's, which have the same kind.
  type OfAnyKind = (request: StreamRequest, ...rest: Rest) => Result;
  return (functions[request.kind] as OfAnyKind)(request, ...rest);
}

export interface InstagramStream extends Stream {
  readonly request: StreamRequest;
  /** True where it is polled unless the configuration names others. */
  readonly isDefault: boolean;
  /** The default interval, as in the configuration: `15m`. */
  readonly interval: string;
  /** The default mode of unchanged records; undefined where the stream never repeats one. */
  readonly publish?: PublishMode;
  /** True where it reads what other people wrote: that takes a permission of its own. */
  readonly readsPeople: boolean;
  /** The logins whose API has its data. */
  readonly logins: readonly Login[];
}

const usual = {
  isDefault: false,
  priority: 'normal',
  isCompacted: false,
  readsPeople: false,
  logins: ['facebook', 'instagram'],
  author: null,
  eventTime: null,
  impressions: null,
  mode: 'full',
  webhookFields: [],
} as const satisfies Partial<InstagramStream>;

/** The declaration that the streams of public content share. */
export const publicContent = {
  interval: '6h',
  publish: 'changes',
  priority: 'backfill',
  limit: 'platform',
  isCompacted: true,
  logins: ['facebook'],
} as const satisfies Partial<InstagramStream>;

type Derived = 'list' | 'publishesList' | 'tracksNodes';
type Declaration = Omit<InstagramStream, Derived | keyof typeof usual> &
  Partial<Pick<InstagramStream, keyof typeof usual>>;

/**
 * Creates a stream: adds the usual values to its declaration, and derives the rest from its
 * request.
 */
export function declareStream(declaration: Declaration): InstagramStream {
  const { request } = declaration;
  return {
    ...usual,
    ...declaration,
    list: request.kind === 'comments' ? 'media' : 'edge' in request ? request.edge : null,
    publishesList: request.kind === 'list',
    tracksNodes: ['list', 'children', 'insights'].includes(request.kind),
  };
}

/** Returns the fields of a stream that it requests only where `STREAM_<NAME>_EXTRA` names them. */
export function optInMetrics({
  request,
}: Pick<InstagramStream, 'request'>): ReadonlyMap<string, SeparateMetric> {
  if (request.kind !== 'insights') return new Map();
  return new Map(Object.entries(request.separate).filter(([, { isOptIn }]) => isOptIn));
}
