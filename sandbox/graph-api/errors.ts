import type { Json, JsonObject } from './json.ts';

interface ErrorRow {
  readonly status: number;
  /** `OAuthException` unless said otherwise. */
  readonly type?: string;
  readonly code: number;
  readonly subcode?: number;
  /** `{0}`, `{1}` stand for the values. */
  readonly message: string;
  readonly title?: string;
  readonly userMessage?: string;
  /** Meta sends the long envelope: `error_data`, `is_transient`. */
  readonly blame?: boolean;
  readonly transient?: boolean;
}

/** Everything the simulator refuses with, one row an error; messages verbatim where recorded. */
const ROWS = {
  'no-token': {
    status: 400,
    code: 104,
    message: 'An access token is required to request this resource.',
  },
  'no-token-for-me': {
    status: 400,
    code: 2500,
    message: 'An active access token must be used to query information about the current user.',
  },
  'bad-token': {
    status: 400,
    code: 190,
    message: 'Invalid OAuth access token - Cannot parse access token',
  },
  'no-permission': {
    status: 400,
    code: 10,
    message: '(#10) Application does not have permission for this action',
  },
  'no-viewers': {
    status: 400,
    code: 10,
    message: '(#10) Not enough viewers for the media to show insights',
  },
  'no-object': {
    status: 400,
    type: 'GraphMethodException',
    code: 100,
    subcode: 33,
    message:
      "Unsupported get request. Object with ID '{0}' does not exist, cannot be loaded due to missing permissions, or does not support this operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
  },
  'unsupported-method': {
    status: 400,
    type: 'GraphMethodException',
    code: 100,
    subcode: 33,
    message:
      'Unsupported {0} request. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api',
  },
  'unknown-path': { status: 400, code: 2500, message: 'Unknown path components: {0}' },
  'unknown-field': {
    status: 400,
    code: 100,
    message: '(#100) Tried accessing nonexisting field ({0})',
  },
  syntax: { status: 400, code: 2500, message: 'Syntax error "{0}" at character {1}: {2}' },
  'too-many-ids': {
    status: 400,
    code: 100,
    message: '(#100) Too many IDs. Maximum: {0}. Provided: {1}.',
  },
  'not-an-integer': { status: 400, code: 100, message: '(#100) Param {0} must be an integer' },
  'not-a-time': {
    status: 400,
    code: 100,
    message: '(#100) Param {0} must be a valid unix timestamp or date',
  },
  'bad-cursor': { status: 400, code: 100, message: '(#100) Invalid cursors values' },
  required: { status: 400, code: 100, message: '(#100) The parameter {0} is required' },
  'not-in-enum': {
    status: 400,
    code: 100,
    message: '(#100) {0} must be one of the following values: {1}',
  },
  'needs-total-value': {
    status: 400,
    code: 100,
    message:
      '(#100) The following metrics ({0}) should be specified with parameter metric_type=total_value',
  },
  incompatible: {
    status: 400,
    code: 100,
    message: '(#100) The following {0} ({1}) are incompatible with the metric ({2})',
  },
  'incompatible-breakdowns': {
    status: 400,
    code: 100,
    message: '(#100) Incompatible breakdowns ({0}) for metric ({1})',
  },
  'window-too-long': {
    status: 400,
    code: 100,
    message: '(#100) There cannot be more than 30 days (2592000 s) between since and until.',
  },
  'window-reversed': {
    status: 400,
    code: 100,
    message: '(#100) since param must be less than until param.',
  },
  'short-memory': {
    status: 400,
    code: 100,
    message:
      '(#100) ({0}) metric only supports querying data for the last 30 days excluding the current day',
  },
  'since-invalid': {
    status: 400,
    code: 100,
    message: '(#100) since param is not valid. Metrics data is available for the last 2 years',
  },
  'media-metric': {
    status: 400,
    code: 100,
    message:
      '(#100) The Media Insights API does not support the {0} metric for this media product type.',
  },
  'impressions-gone': {
    status: 400,
    code: 100,
    message:
      '(#100) Starting from version v22.0 and above, the impressions metric is no longer supported for the queried media',
  },
  'not-on-facebook': {
    status: 400,
    code: -1,
    subcode: 2207086,
    message: 'Fatal',
    transient: false,
  },
  'before-conversion': {
    status: 400,
    code: 100,
    subcode: 2108006,
    message: 'Invalid parameter',
    blame: true,
    transient: false,
    title: 'Media posted before business account conversion',
    userMessage:
      "The media was posted before the most recent time that the user's account was converted to a business account from a personal account.",
  },
  'not-enough-users': {
    status: 400,
    code: 3006,
    subcode: 2874010,
    message: 'Not enough users',
    transient: false,
    title: "Demographic data isn't available",
    userMessage:
      'You can learn about your audience once this metric has more than 100 people in each breakdown.',
  },
  'copyright-check': {
    status: 400,
    code: 9005,
    subcode: 1452042,
    message: '(#9005) Video content was not found.',
  },
  'discovery-only': {
    status: 400,
    code: 36104,
    message:
      '(#36104) You do not have permission to access this field outside of the Business Discovery API.',
  },
  unexpected: {
    status: 500,
    code: 1,
    message: 'An unknown error occurred',
  },
} as const satisfies Record<string, ErrorRow>;

/** A name of the table of errors. */
export type ErrorName = keyof typeof ROWS;

/** A refusal in Meta's words: an HTTP status and the body's `error`, but for its trace id. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly status: number;
  readonly code: number;
  readonly error: JsonObject;

  constructor(row: ErrorRow, values: readonly (string | number)[]) {
    const message = row.message.replace(/\{(\d)\}/g, (_, index: string) =>
      String(values[Number(index)] ?? ''),
    );
    super(message);
    this.status = row.status;
    this.code = row.code;
    this.error = {
      message,
      type: row.type ?? 'OAuthException',
      code: row.code,
      ...present('error_data', row.blame === true ? { blame_field_specs: [['']] } : undefined),
      ...present('error_subcode', row.subcode),
      ...present('is_transient', row.transient),
      ...present('error_user_title', row.title),
      ...present('error_user_msg', row.userMessage),
    };
  }
}

function present(key: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [key]: value };
}

/** Makes the error of that row; the values fill its message's places in order. */
export function graphError(name: ErrorName, ...values: readonly (string | number)[]): GraphError {
  return new GraphError(ROWS[name], values);
}

/**
 * The error as the host of the caller's token words it: `graph.instagram.com` has its own type,
 * and drops the `(#100) ` of media insights.
 */
export function wordError(error: GraphError, dialect: 'facebook' | 'instagram'): JsonObject {
  if (dialect === 'facebook' || error.code === 190) {
    return error.error;
  }
  return {
    ...error.error,
    message: error.message.replace(/^\(#100\) (?=The Media Insights API)/, ''),
    type: 'IGApiException',
  };
}
