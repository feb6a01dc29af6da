import { type ErrorCase, oauth, refused, skip } from './error-case.ts';

/** The error of a metric that the whole media type lacks. */
function refusedForKind(metrics: readonly string[]): ErrorCase['becomes'] {
  return { ...skip('graph.metric-refused', metrics), scope: 'kind' };
}

const mediaEnum = 'impressions, reach, replies, saved, likes, comments, shares';

/** Rejected metrics. */
export const metrics: readonly ErrorCase[] = [
  {
    name: '-1/2207086',
    status: 400,
    query: { ids: '1,2', fields: 'insights.metric(reach,facebook_views,crossposted_views)' },
    body: { error: { message: 'Fatal', type: oauth, code: -1, error_subcode: 2207086 } },
    becomes: skip('graph.metric-refused', ['facebook_views', 'crossposted_views']),
  },
  {
    name: '100 with metrics outside the enum, of metric=',
    status: 400,
    query: { metric: 'reach,plays,saved,video_views' },
    body: {
      error: {
        message: `(#100) metric[1] must be one of the following values: ${mediaEnum}`,
        type: oauth,
        code: 100,
        fbtrace_id: 'A8oUEMO2LsZ2jstHsWbIx6T',
      },
    },
    becomes: skip('graph.metric-unknown', ['plays', 'video_views']),
  },
  {
    name: '100 with metrics outside the enum, of a field expansion',
    status: 400,
    query: { ids: '1,2', fields: 'id,insights.period(lifetime).metric(reach, plays)' },
    body: {
      error: {
        message: `metric[1] must be one of the following values: ${mediaEnum}`,
        type: 'IGApiException',
        code: 100,
      },
    },
    becomes: skip('graph.metric-unknown', ['plays']),
  },
  {
    name: '100 with the position of a metric that the enum lists',
    status: 400,
    query: { metric: 'reach,saved' },
    body: {
      error: {
        message: `(#100) metric[1] must be one of the following values: ${mediaEnum}`,
        code: 100,
      },
    },
    becomes: skip('graph.metric-unknown', ['saved']),
  },
  {
    name: '100 with metrics that the media lacks, on Instagram Login',
    login: 'instagram',
    status: 400,
    query: { metric: 'reach,profile_visits,follows' },
    body: {
      error: {
        message:
          'The Media Insights API does not support the profile_visits, follows metric for this media product type.',
        type: 'IGApiException',
        code: 100,
        fbtrace_id: 'AMp1OApnabZXALO89OiY4ox',
      },
    },
    becomes: refusedForKind(['profile_visits', 'follows']),
  },
  {
    name: '100 with one metric that the media lacks',
    status: 400,
    query: { metric: 'reach,shares' },
    body: {
      error: {
        message:
          '(#100) The Media Insights API does not support the shares metric for this media product type.',
        type: oauth,
        code: 100,
      },
    },
    becomes: refusedForKind(['shares']),
  },
  {
    name: '100 with a retired metric, of version 22',
    status: 400,
    query: { metric: 'impressions' },
    body: {
      error: {
        message:
          '(#100) Starting from version v22.0 and above, the impressions metric is no longer supported for the queried media',
        type: oauth,
        code: 100,
      },
    },
    becomes: skip('graph.metric-refused', ['impressions']),
  },
  {
    name: '100 with a retired metric, of version 21',
    status: 400,
    query: { metric: 'video_views' },
    body: {
      error: {
        message:
          '(#100) Starting from version 21+, the following metric is no longer supported: video_views. Instead, please refer to the documentation',
        type: oauth,
        code: 100,
      },
    },
    becomes: skip('graph.metric-refused', ['video_views']),
  },
  {
    name: '100 with metrics outside the enum, in another language',
    status: 400,
    query: { metric: 'reach,plays' },
    body: {
      error: {
        message: `metric[1] debe ser uno de los siguientes valores: ${mediaEnum}`,
        type: 'IGApiException',
        code: 100,
      },
    },
    becomes: skip('graph.metric-unknown', ['plays']),
  },
  {
    name: '100 with a metric outside the enum, for a request without metrics',
    status: 400,
    body: {
      error: {
        message: `(#100) metric[0] must be one of the following values: ${mediaEnum}`,
        code: 100,
      },
    },
    becomes: refused,
  },
  {
    name: '100 with metrics that an old feed video lacks',
    status: 400,
    query: { metric: 'reach,views,likes,comments,saved,shares,total_interactions' },
    body: {
      error: {
        message:
          '(#100) The Media Insights API does not support the views, likes, comments, shares, total_interactions metric for this media product type.',
        type: oauth,
        code: 100,
        fbtrace_id: 'A0000000000000000000005',
      },
    },
    becomes: refusedForKind(['views', 'likes', 'comments', 'shares', 'total_interactions']),
  },
  {
    name: '100 with a metric that the media type lacks and the request did not name',
    status: 400,
    query: { metric: 'reach' },
    body: {
      error: {
        message:
          '(#100) The Media Insights API does not support the shares metric for this media product type.',
        code: 100,
      },
    },
    becomes: refused,
  },
  {
    name: '100 with a metric that this media type lacks',
    status: 400,
    query: { metric: 'reach,views,shares' },
    body: {
      error: {
        message: '(#100) The metric shares is not supported for this media type',
        type: oauth,
        code: 100,
      },
    },
    becomes: skip('graph.metric-refused', ['shares']),
    says: ['not accepted for this object', 'The metric shares is not supported'],
  },
  {
    name: '100 with metrics that are requested without metric_type',
    status: 400,
    query: { metric: 'reach,comments,views' },
    body: {
      error: {
        message:
          '(#100) The following metrics (comments,views) should be specified with parameter metric_type=total_value',
        type: oauth,
        code: 100,
      },
    },
    becomes: skip('graph.metric-refused', ['comments', 'views']),
  },
  {
    name: '100 with a metric that lacks the breakdown',
    status: 400,
    query: { metric: 'reach,views', breakdown: 'follow_type' },
    body: {
      error: {
        message: '(#100) Incompatible breakdowns (follow_type) for metric (views)',
        type: oauth,
        code: 100,
      },
    },
    becomes: skip('graph.metric-refused', ['views']),
  },
  {
    name: '100 with a metric that the media lacks, in Portuguese',
    login: 'instagram',
    status: 400,
    query: { fields: 'id,insights.metric(reach,profile_visits,views)' },
    body: {
      error: {
        message: 'A métrica profile_visits não é compatível com este tipo de conteúdo.',
        type: 'IGApiException',
        code: 100,
      },
    },
    becomes: skip('graph.metric-refused', ['profile_visits']),
  },
  {
    name: '200 with a metric that the story lacks',
    status: 403,
    query: { metric: 'reach,total_views' },
    body: {
      error: { message: '(#200) total_views cannot be read of this media', type: oauth, code: 200 },
    },
    becomes: skip('graph.metric-refused', ['total_views']),
  },
  {
    name: 'an unknown code with a metric',
    status: 400,
    query: { metric: 'reach,reposts' },
    body: { error: { message: 'reposts: not available', type: oauth, code: 1349125 } },
    becomes: skip('graph.metric-refused', ['reposts']),
  },
  {
    name: '100 with a deprecated metric, not a deprecated form of request',
    status: 400,
    query: { metric: 'reach,impressions' },
    body: {
      error: { message: '(#100) The metric impressions is deprecated in v22.0+', code: 100 },
    },
    becomes: skip('graph.metric-refused', ['impressions']),
  },
  {
    name: '100 with the name of a metric only as a part of other words',
    status: 400,
    query: { metric: 'reach,views' },
    body: {
      error: { message: '(#100) total_views, viewsé and reached are not supported', code: 100 },
    },
    becomes: refused,
  },
  {
    name: '100 about metrics that names no metric',
    status: 400,
    query: { metric: 'reach,views' },
    body: {
      error: {
        message: '(#100) The value must be a valid insights metric',
        type: oauth,
        code: 100,
      },
    },
    becomes: refused,
  },
  {
    name: '2500 that quotes the metrics of the request',
    status: 400,
    query: { fields: 'id,insights.metric(reach,views)' },
    body: {
      error: {
        message:
          'Syntax error "Expected end of string instead of "("." at character 19: id,insights.metric(reach,views)',
        type: oauth,
        code: 2500,
      },
    },
    becomes: refused,
  },
  {
    name: '-1/2207086 for a request without the affected metrics',
    status: 400,
    query: { metric: 'reach' },
    body: { error: { message: 'Fatal', code: -1, error_subcode: 2207086 } },
    becomes: refused,
  },
];
