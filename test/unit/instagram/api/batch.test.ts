import { describe, expect, test } from '@jest/globals';
import { batchForm, readBatch } from '../../../../src/instagram/api/batch.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';

const requestOf = (id: string): GraphRequest & { readonly token: string } => ({
  endpoint: '/{media}/insights',
  path: `/${id}/insights`,
  query: { metric: 'reach,views' },
  accountId: '17841400000000001',
  token: '',
});
const ids = ['18000000000000001', '18000000000000002', '18000000000000003'];
const contexts = ids.map((id) => ({
  request: requestOf(id),
  login: 'facebook' as const,
  pageId: null,
  nowMs: 0,
  redact: (text: string) => text,
  redactBody: (text: string) => text,
}));

const answerOf = (body: unknown, status = 200, headers: Record<string, string> = {}) => ({
  status,
  headers: new Headers(headers),
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const item = (body: unknown, code: unknown = 200, headers: unknown = []) => ({
  code,
  headers,
  body: JSON.stringify(body),
});
const reach = { data: [{ name: 'reach', values: [{ value: 5 }] }] };
const usage = (percent: number) => [
  { name: 'Content-Type', value: 'application/json; charset=UTF-8' },
  {
    name: 'X-Business-Use-Case-Usage',
    value: `{"17841400000000001":[{"type":"instagram","call_count":${percent},"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":0}]}`,
  },
];

/** The outcomes: a body, an error's code, or null. */
const outcomesOf = (body: unknown) =>
  readBatch(answerOf(body), contexts).outcomes.map((outcome) =>
    outcome === null ? null : 'node' in outcome ? outcome.node : outcome.error.code,
  );

describe('batchForm', () => {
  test('builds a form of GET requests relative to the version, with headers included', () => {
    const form = batchForm(contexts.slice(0, 1).map(({ request }) => request));

    expect(form.get('include_headers')).toBe('true');
    expect(JSON.parse(form.get('batch') ?? '')).toEqual([
      { method: 'GET', relative_url: '18000000000000001/insights?metric=reach%2Cviews' },
    ]);
  });
});

describe('readBatch', () => {
  test('reads each item alone: an answer, a rejection, an unfinished item', () => {
    const rejected = {
      error: {
        message:
          '(#100) The Media Insights API does not support the views metric for this media product type.',
        type: 'OAuthException',
        code: 100,
      },
    };

    expect(outcomesOf([item(reach), item(rejected, 400), null])).toEqual([
      reach,
      'graph.metric-refused',
      null,
    ]);
  });

  test.each<[string, unknown]>([
    ['is shorter than the request', [item(reach)]],
    ['holds an item that is no object', [item(reach), 5, 'text']],
    ['holds an item without a body', [item(reach), { code: 200 }, { code: 200, body: null }]],
    [
      'holds a body that is not JSON',
      [item(reach), { code: 200, body: 'n/a' }, { code: 200, body: '{' }],
    ],
    ['holds a body that is no object', [item(reach), item([]), item('text')]],
  ])('returns no outcome for the affected items when the answer %s', (_what, body) => {
    expect(outcomesOf(body)).toEqual([reach, null, null]);
  });

  test('fails an item that is HTML or has no body as a server error', () => {
    const body = [item(reach), { code: 200, body: '<html>' }, { code: 200, body: '' }];

    expect(outcomesOf(body)).toEqual([reach, 'graph.server', 'graph.server']);
  });

  test.each<[string, unknown]>([
    ['not JSON', 'upstream timed out'],
    ['HTML', '<!DOCTYPE html><html></html>'],
    ['empty', ''],
    ['a number', 7],
    ['an empty list', []],
  ])('returns no outcome for any item when the answer is %s', (_what, body) => {
    expect(outcomesOf(body)).toEqual([null, null, null]);
  });

  test.each([undefined, 'ok', null])('reads the body of an item with status %j', (code) => {
    const error = { error: { message: 'x', code: 24 } };

    expect(outcomesOf([item(reach, code), item(error, code), null])).toEqual([
      reach,
      'graph.gone',
      null,
    ]);
  });

  test('throws when the answer is a single error', () => {
    const expired = { error: { message: 'Session has expired', code: 190, error_subcode: 463 } };

    expect(() => readBatch(answerOf(expired, 400), contexts)).toThrow(
      expect.objectContaining({ code: 'graph.token', disposition: 'stop-account' }),
    );
    expect(() => readBatch(answerOf('', 502), contexts)).toThrow(
      expect.objectContaining({ code: 'graph.server', disposition: 'retry' }),
    );
  });

  test('reads the usage of each item and of the batch request itself', () => {
    const body = [item(reach, 200, usage(3)), item(reach, 200, usage(4)), null];
    const outer = { 'x-app-usage': '{"call_count":12,"total_cputime":0,"total_time":0}' };
    const { usage: reports } = readBatch(answerOf(body, 200, outer), contexts);

    expect(reports.map(({ scope, percent }) => [scope.kind, percent])).toEqual([
      ['app', 12],
      ['account', 3],
      ['account', 4],
    ]);
  });

  test.each([undefined, 'none', [null, { name: 5, value: 'x' }, { name: 'a b', value: 'x' }]])(
    'ignores item headers of %j',
    (headers) => {
      expect(outcomesOf([item(reach, 200, headers), null, null])).toEqual([reach, null, null]);
    },
  );
});
