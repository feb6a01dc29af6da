import { describe, expect, test } from '@jest/globals';
import { limitWaitMs, readUsage } from '../../../../src/instagram/api/usage.ts';
import type { GraphRequest, UsageReport } from '../../../../src/engine/ports.ts';
import { answering, startHttpServer } from '../../../support/http-server.ts';
import { calm, mediaRequest, open, rejection } from '../opened.ts';

const id = '17841400000000001';
const other = '17841400000000002';
const business = '645699291956344';

const own: GraphRequest = { ...mediaRequest, accountId: id };
const nobodys: GraphRequest = { ...mediaRequest, accountId: null };

const account = (accountId: string, percent: number, regainMs = 0): UsageReport => ({
  scope: { kind: 'account', id: accountId },
  percent,
  regainMs,
});
const app = (percent: number): UsageReport => ({
  scope: { kind: 'app', id: '' },
  percent,
  regainMs: 0,
});

/** An entry of X-Business-Use-Case-Usage. */
const entry = (usage: Readonly<Record<string, unknown>>) => [{ type: 'instagram', ...usage }];

const read = (name: string, value: unknown, request = own) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return readUsage(new Headers({ [name]: text }), request);
};

describe('X-App-Usage', () => {
  test('reports the highest of its percentages for the app', () => {
    const read_ = (usage: unknown) => read('X-App-Usage', usage);

    expect(read_({ call_count: 28, total_time: 25, total_cputime: 25 })).toEqual([app(28)]);
    expect(read_({ call_count: 1, total_time: 31.5, total_cputime: 25 })).toEqual([app(31.5)]);
    expect(read_({ call_count: 724 })).toEqual([app(724)]);
  });
});

describe('X-App-Usage of public content', () => {
  test('reports the usage of the platform limit, and not of the app', () => {
    const request: GraphRequest = { ...own, token: 'one', limit: 'platform' };

    expect(read('X-App-Usage', { call_count: 28 }, request)).toEqual([
      { scope: { kind: 'platform', id: 'one' }, percent: 28, regainMs: 0 },
    ]);
  });
});

describe('X-Business-Use-Case-Usage', () => {
  const readBusiness = (usage: unknown, request = own) =>
    read('X-Business-Use-Case-Usage', usage, request);

  test('reports the usage of the requested account, as recorded from Meta', () => {
    const captured = {
      [business]: entry({ call_count: 2, total_cputime: 3, total_time: 1 }),
      [id]: entry({
        call_count: 1,
        total_cputime: 1,
        total_time: 4,
        estimated_time_to_regain_access: 0,
      }),
    };

    expect(readBusiness(captured)).toEqual([account(id, 4)]);
  });

  test('reports for how many minutes to stop, at most a day', () => {
    const told = (minutes: unknown) =>
      readBusiness({ [id]: entry({ call_count: 100, estimated_time_to_regain_access: minutes }) });

    expect(told(19)).toEqual([account(id, 100, 1_140_000)]);
    expect(told(1e9)).toEqual([account(id, 100, 86_400_000)]);
    expect(told('19')).toEqual([account(id, 100)]);
    expect(told(-1)).toEqual([account(id, 100)]);
  });

  test('reports the usage of its business for an account without an entry', () => {
    expect(readBusiness({ [business]: entry({ call_count: 40 }) })).toEqual([account(id, 40)]);
  });

  test('reports the usage of all accounts when the request belongs to no single account', () => {
    const usage = { [id]: entry({ call_count: 1 }), [other]: entry({ call_count: 2 }) };

    expect(readBusiness(usage, nobodys)).toEqual([account(id, 1), account(other, 2)]);
  });

  test('ignores other use cases', () => {
    expect(readBusiness({ [id]: [{ type: 'ads_insights', call_count: 99 }] })).toEqual([]);
  });

  test('reports the highest of several entries of one account', () => {
    const [first] = entry({ call_count: 10, estimated_time_to_regain_access: 2 });
    const [second] = entry({ call_count: 20 });

    expect(readBusiness({ [id]: [first, second] })).toEqual([account(id, 20, 120_000)]);
  });
});

describe('X-Ad-Account-Usage', () => {
  test('reports the usage of the requested account', () => {
    const usage = { acc_id_util_pct: 9.67, reset_time_duration: 100 };

    expect(read('X-Ad-Account-Usage', usage)).toEqual([account(id, 9.67)]);
    expect(read('X-Ad-Account-Usage', usage, nobodys)).toEqual([]);
  });

  test('reports for how many seconds to stop when the quota is used up', () => {
    const usage = { acc_id_util_pct: 100, reset_time_duration: 100 };

    expect(read('X-Ad-Account-Usage', usage)).toEqual([account(id, 100, 100_000)]);
  });
});

describe('invalid usage header', () => {
  test.each([
    ['not JSON', '{"call_count":'],
    ['empty', ''],
    ['a list', []],
    ['null', 'null'],
    ['a number', 5],
    ['a map of strings', { call_count: '99', [id]: '99', acc_id_util_pct: '99' }],
    ['below zero', { call_count: -1, [id]: entry({ call_count: -1 }), acc_id_util_pct: -1 }],
    [
      'implausibly high',
      { call_count: 1001, [id]: entry({ call_count: 1e9 }), acc_id_util_pct: 1e9 },
    ],
    ['a map with an invalid id', { app: entry({ call_count: 5 }), '': entry({ call_count: 5 }) }],
    ['a map with invalid entries', { [id]: [null, 5, 'x', []] }],
    ['an entry without a list', { [id]: { type: 'instagram', call_count: 5 } }],
  ])('reports no usage when its value is %s', (_name, value) => {
    const names = ['X-App-Usage', 'X-Business-Use-Case-Usage', 'X-Ad-Account-Usage'];

    expect(names.flatMap((name) => read(name, value))).toEqual([]);
  });
});

describe('Instagram adapter', () => {
  const headers = { 'x-app-usage': '{"call_count":28}' };

  test('reports the usage of an answer', async () => {
    await using server = await startHttpServer(answering(200, { data: [] }, headers));
    await using adapter = open(server.url);
    await adapter.graph.get(mediaRequest, calm);

    expect(adapter.usage).toEqual([app(28)]);
  });

  test('reports the usage of an error before the error is thrown', async () => {
    const error = { error: { message: '(#4) Application request limit reached', code: 4 } };
    await using server = await startHttpServer(answering(403, error, headers));
    await using adapter = open(server.url);
    await rejection(adapter.graph.get(mediaRequest, calm));

    expect(adapter.usage).toEqual([app(28)]);
  });

  test('lists accounts through the guard of the rate limiter', async () => {
    await using server = await startHttpServer(answering(200, { data: [] }));
    const refused = new Error('blocked');
    await using adapter = open(
      server.url,
      {},
      { guard: () => ({ get: () => Promise.reject(refused) }) },
    );

    await expect(adapter.directory.list(calm)).rejects.toBe(refused);
    expect(server.requests).toHaveLength(0);
  });
});

describe('waiting time of a rate limit', () => {
  const nowMs = Date.UTC(2026, 9, 5, 12);
  const usage = (minutes: Readonly<Record<string, unknown>>): string =>
    JSON.stringify(
      Object.fromEntries(
        Object.entries(minutes).map(([id, value]) => [
          id,
          [{ type: 'instagram', call_count: 100, estimated_time_to_regain_access: value }],
        ]),
      ),
    );

  test.each([
    [
      "the account's own estimate",
      { 'x-business-use-case-usage': usage({ '1': 19, '2': 60 }) },
      1_140_000,
    ],
    [
      'the longest estimate when its own is 0',
      { 'x-business-use-case-usage': usage({ '1': 0, '2': 60 }) },
      3_600_000,
    ],
    [
      'the longest estimate when its own is missing',
      { 'x-business-use-case-usage': usage({ '2': 3, '3': 2 }) },
      180_000,
    ],
    [
      'the estimate before Retry-After',
      { 'x-business-use-case-usage': usage({ '1': 1 }), 'retry-after': '9' },
      60_000,
    ],
    [
      'Retry-After in seconds',
      { 'x-business-use-case-usage': usage({ '1': 0 }), 'retry-after': '9' },
      9_000,
    ],
    ['Retry-After as a date', { 'retry-after': 'Mon, 05 Oct 2026 12:01:00 GMT' }, 60_000],
    [
      'five minutes when Retry-After is in the past',
      { 'retry-after': 'Mon, 05 Oct 2026 11:00:00 GMT' },
      300_000,
    ],
    ['five minutes when no header names a time', {}, 300_000],
    ['five minutes when the header is broken', { 'x-business-use-case-usage': '{"1":' }, 300_000],
    [
      'five minutes when the estimate is a text',
      { 'x-business-use-case-usage': usage({ '1': '19' }) },
      300_000,
    ],
    ['a day at most', { 'x-business-use-case-usage': usage({ '1': 1e12 }) }, 86_400_000],
  ])('is %s', (_name, headers, expected) => {
    expect(limitWaitMs(new Headers(headers), '1', nowMs)).toBe(expected);
  });

  test('is the longest estimate when the request belongs to no single account', () => {
    const headers = new Headers({ 'x-business-use-case-usage': usage({ '1': 1, '2': 2 }) });
    expect(limitWaitMs(headers, null, nowMs)).toBe(120_000);
  });
});
