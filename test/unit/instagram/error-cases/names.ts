import type { ErrorCase } from './error-case.ts';
import { oauth, skip } from './error-case.ts';

const mediaEnum = 'impressions, reach, replies, saved, likes, comments, shares';

/** Metrics that are refused. */
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
    name: '100 with a metric outside an enum that says otherwise, by its position',
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
    name: '100 with metrics that the media has not, on Instagram Login',
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
    becomes: skip('graph.metric-refused', ['profile_visits', 'follows']),
  },
  {
    name: '100 with one metric that the media has not',
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
    becomes: skip('graph.metric-refused', ['shares']),
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
];

/** Fields that are refused. */
export const fields: readonly ErrorCase[] = [
  {
    name: '9005',
    status: 400,
    query: { fields: 'id,copyright_check_information' },
    body: {
      error: {
        message: '(#9005) Video content was not found.',
        type: oauth,
        code: 9005,
        error_subcode: 1452042,
      },
    },
    becomes: skip('graph.field-refused', ['copyright_check_information']),
  },
  {
    name: '36104',
    status: 400,
    query: { fields: 'id,children{id,view_count}' },
    body: {
      error: {
        message:
          '(#36104) You do not have permission to access this field outside of the Business Discovery API.',
        type: oauth,
        code: 36104,
      },
    },
    becomes: skip('graph.field-refused', ['view_count']),
  },
  {
    name: '100 with a field that is not there',
    status: 400,
    query: { fields: 'id,video_duration' },
    body: {
      error: {
        message: '(#100) Tried accessing nonexisting field (video_duration)',
        type: oauth,
        code: 100,
      },
    },
    becomes: skip('graph.field-refused', ['video_duration']),
  },
  {
    name: '100 with an edge that is not there, which is no field of the request',
    status: 400,
    query: { fields: 'id' },
    body: {
      error: {
        message: '(#100) Tried accessing nonexisting field (feed)',
        type: oauth,
        code: 100,
      },
    },
    becomes: { disposition: 'stop-stream', code: 'graph.refused' },
  },
];
