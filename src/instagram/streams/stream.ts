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
  /** The breakdown, and the field of each part. Such a metric must be requested alone. */
  readonly parts?: {
    readonly breakdown: string;
    readonly fields: Readonly<Record<string, string>>;
  };
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
      /** A metric by its parts, in a separate request that is sent when its total has changed. */
      readonly parts?: { readonly metric: string; readonly breakdown: string };
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
  | { readonly kind: 'totals'; readonly requests: readonly TotalsRequest[] }
  | {
      readonly kind: 'breakdowns';
      readonly metric: string;
      readonly period: string;
      readonly breakdowns: readonly string[];
      /** The time span in which people are counted, when the metric requires one. */
      readonly timeframe?: string;
    };

export type RequestOf<K extends StreamRequest['kind']> = Extract<StreamRequest, { kind: K }>;

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
