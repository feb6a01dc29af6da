import type { ErrorRow } from './error-row.ts';

/** Errors of the request, one row an error; messages verbatim where recorded. */
export const REQUEST_ROWS = {
  'no-permission': {
    status: 400,
    code: 10,
    message: '(#10) Application does not have permission for this action',
  },
  'no-business-permission': {
    status: 400,
    code: 200,
    message: '(#200) Requires business_management permission to manage the object',
  },
  'missing-permission': { status: 400, code: 100, message: '(#100) Missing Permission' },
  'page-token-required': {
    status: 400,
    code: 210,
    message: '(#210) A page access token is required to request this resource.',
  },
  'no-subscribed-field': {
    status: 400,
    code: 100,
    message: '(#100) Param subscribed_fields[{0}] must be one of {{1}} - got "{2}".',
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
  'ids-deprecated': {
    status: 500,
    code: 100,
    message: 'The ids query parameter is deprecated in v26.0+',
    onBothHosts: true,
  },
  'not-an-integer': { status: 400, code: 100, message: '(#100) Param {0} must be an integer' },
  'not-a-time': {
    status: 400,
    code: 100,
    message: '(#100) Param {0} must be a valid unix timestamp or date',
  },
  'bad-cursor': { status: 400, code: 100, message: '(#100) Invalid cursors values' },
  'invalid-parameter': { status: 400, code: 100, message: '(#100) Invalid parameter' },
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
  'media-metric-of-type': {
    status: 400,
    code: 100,
    message: '(#100) The metric {0} is not supported for this media type',
  },
  'media-metric-translated': {
    status: 400,
    code: 100,
    message: '(#100) Les statistiques {0} ne sont pas disponibles pour ce contenu',
  },
  'media-metric-unnamed': {
    status: 400,
    code: 100,
    message: '(#100) The value must be a valid insights metric',
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
    plainOnInstagram: true,
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
  'too-much-data': {
    status: 500,
    code: 1,
    subcode: 99,
    message: "Please reduce the amount of data you're asking for, then retry your request",
  },
  'retry-later': {
    status: 500,
    code: 2,
    message: 'An unexpected error has occurred. Please retry your request later.',
    transient: true,
  },
  unavailable: { status: 500, code: 2, message: '(#2) Service temporarily unavailable' },
  'no-capability': {
    status: 400,
    code: 3,
    message: '(#3) Application does not have the capability to make this API call.',
  },
  'permission-missing': { status: 403, code: 200, message: '(#200) Missing permissions' },
  'resource-gone': {
    status: 400,
    code: 24,
    subcode: 2207006,
    message: 'The requested resource does not exist',
    transient: false,
    title: 'Media not found',
    userMessage: 'The media you are trying to access cannot be found.',
  },
  'media-not-found': {
    status: 400,
    code: 24,
    subcode: 2207045,
    message: 'The requested resource does not exist',
    title: 'Media Not Found',
  },
  'policy-block': {
    status: 400,
    code: 368,
    message: 'The action attempted has been deemed abusive or is otherwise disallowed',
  },
  'user-not-found': {
    status: 400,
    code: 110,
    subcode: 2207013,
    message: 'Invalid user id',
    transient: false,
    title: 'Cannot find User',
    userMessage: 'The user with username: {0} cannot be found.',
  },
} as const satisfies Record<string, ErrorRow>;
