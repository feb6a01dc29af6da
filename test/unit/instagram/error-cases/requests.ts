import { type ErrorCase, limited, oauth, refused } from './error-case.ts';

const forbidden = { disposition: 'stop-stream', code: 'graph.permission' };
const denied = { disposition: 'fail', code: 'graph.permission' };

const deniedBody = {
  error: {
    message: '(#10) Application does not have permission for this action',
    type: oauth,
    code: 10,
  },
};

/** Other people's content needs one more permission; insights of comments do not. */
const people: readonly ErrorCase[] = [
  ['10 for tags', { path: '/17841400000000001/tags' }],
  ['10 for comments of several media', { path: '/', query: { fields: 'comments.limit(50){id}' } }],
  ['10 for comments of one media', { path: '/18000000000000001/comments' }],
  ['10 for replies', { path: '/18000000000000001/replies' }],
].map(([name, asked]) => ({
  ...(asked as { path: string }),
  name: name as string,
  status: 400,
  body: deniedBody,
  becomes: denied,
  says: ['pages_read_engagement, instagram_manage_comments, and the token'],
}));

/** Permissions, wrong requests and broken envelopes. */
export const requests: readonly ErrorCase[] = [
  ...people,
  {
    name: '10 for the metric comments',
    status: 400,
    query: { fields: 'insights.metric(likes,comments)' },
    body: deniedBody,
    becomes: denied,
    says: ['pages_read_engagement, and the token'],
  },
  {
    name: '10',
    status: 400,
    body: deniedBody,
    becomes: denied,
    says: ['instagram_basic, instagram_manage_insights, pages_show_list, pages_read_engagement'],
  },
  {
    name: '10 on Instagram Login',
    login: 'instagram',
    status: 400,
    body: {
      error: {
        message: 'Application does not have permission for this action',
        type: 'IGApiException',
        code: 10,
      },
    },
    becomes: denied,
    says: ['instagram_business_basic, instagram_business_manage_insights'],
  },
  {
    name: '3',
    status: 400,
    body: {
      error: {
        message: '(#3) Application does not have the capability to make this API call.',
        type: oauth,
        code: 3,
      },
    },
    becomes: forbidden,
  },
  ...[200, 299].map((code) => ({
    name: String(code),
    status: 403,
    body: { error: { message: `(#${code}) Requires permission`, type: oauth, code } },
    becomes: forbidden,
  })),
  {
    name: '100 about a permission',
    status: 400,
    body: {
      error: {
        message:
          "(#100) Object does not exist, cannot be loaded due to missing permission or reviewable feature, or does not support this operation. This endpoint requires the 'pages_read_engagement' permission.",
        type: oauth,
        code: 100,
      },
    },
    becomes: forbidden,
  },
  {
    name: '10 about a permission that App Review grants',
    status: 400,
    query: { metric: 'reach' },
    body: {
      error: {
        message:
          "(#10) Object does not exist, cannot be loaded due to missing permission or reviewable feature, or does not support this operation. This endpoint requires the 'instagram_manage_insights' permission or the 'reach' feature.",
        type: oauth,
        code: 10,
      },
    },
    becomes: forbidden,
  },
  {
    name: '100 about ids, on a 500',
    status: 500,
    query: { ids: '1,2', fields: 'insights.metric(reach)' },
    body: { error: { message: 'The ids query parameter is deprecated in v26.0+', code: 100 } },
    becomes: { disposition: 'fail', code: 'graph.retired' },
    says: ['Meta has retired this form of request', 'newer version of this program'],
  },
  {
    name: '100 about another deprecated form of request, which Meta calls transient',
    status: 400,
    body: {
      error: {
        message: 'The date_format query parameter is deprecated in v26.0+.',
        is_transient: true,
        code: 100,
      },
    },
    becomes: { disposition: 'fail', code: 'graph.retired' },
  },
  {
    name: '100 about a parameter',
    status: 400,
    body: {
      error: {
        message:
          '(#100) The following metrics (comments,views) should be specified with parameter metric_type=total_value',
        type: oauth,
        code: 100,
      },
    },
    becomes: refused,
    says: [
      'the request is rejected and is sent again at the next interval',
      'should be specified with parameter metric_type=total_value',
    ],
  },
  {
    name: '2500',
    status: 400,
    body: {
      error: {
        message: 'Unknown path components: /impressions/day',
        type: 'IGApiException',
        code: 2500,
        fbtrace_id: 'A7OjVVCXwSdfpIERKqntSKo',
      },
    },
    becomes: refused,
  },
  ...[{ code: 100 }, { code: 2500 }, {}].map((error) => ({
    name: `no more than ${JSON.stringify(error)}`,
    status: 400,
    body: { error },
    becomes: refused,
  })),
  {
    name: 'an unknown code',
    status: 400,
    body: { error: { message: 'Duplicate post', type: oauth, code: 506 } },
    becomes: refused,
    says: ['Duplicate post', 'code 506'],
  },
  {
    name: 'a code that is a string, like an unknown code',
    status: 400,
    body: { error: { message: 17, type: null, code: '190', error_subcode: {} } },
    becomes: refused,
    says: ['Meta gave no message (HTTP 400)'],
  },
  {
    name: 'an error that is a string',
    status: 404,
    body: { error: 'not here' },
    becomes: refused,
    says: ['Meta says "not here" (HTTP 404)'],
  },
  {
    name: 'the shape of the login errors',
    status: 400,
    body: { error_type: oauth, code: 400, error_message: 'Matching code was not found' },
    becomes: refused,
    says: ['Matching code was not found'],
  },
  {
    name: 'an error within a 200',
    status: 200,
    body: { error: { message: '(#4) Application request limit reached', code: 4 } },
    becomes: limited({ kind: 'app', id: '' }),
  },
];
