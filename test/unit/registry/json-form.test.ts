import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Json, Node } from '../../../src/engine/json.ts';
import { type StreamState, emptyCheckpoint } from '../../../src/engine/state.ts';
import { openLocalCodec, openStateForm } from '../../../src/registry/index.ts';
import { createJsonForm, createValueReader } from '../../../src/registry/json-form.ts';
import { readKeySchema } from '../../../src/registry/schemas.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer } from '../../support/registry-server.ts';

const form = openStateForm();

const state: StreamState = {
  ...emptyCheckpoint,
  stream: 'user_insights',
  accountId: '17',
  cursorMs: Date.parse('2026-11-24T08:00:00Z'),
  coveredUntilMs: Date.parse('2026-11-23T12:00:00.123Z'),
  days: [
    {
      dateMs: Date.parse('2026-11-24T08:00:00Z'),
      followerCount: 1,
      reach: null,
      reachWeek: 3,
      reachDays28: 4,
      onlineFollowers: { 0: 5, 23: 6 },
    },
  ],
  published: new Map([['17895695668004550', 18_446_744_073_709_551_615n]]),
  rejections: [
    { subject: 'FEED/IMAGE', metric: 'views', reason: 'graph.metric-refused', untilMs: 1000 },
    {
      subject: '*',
      metric: 'reach',
      reason: 'graph.metric-unknown',
      untilMs: 1000,
      missingFromMs: 2000,
    },
  ],
  totals: [{ dateMs: Date.parse('2026-11-24T08:00:00Z'), values: { views: 9 } }],
  sequence: 4,
  writtenAtMs: Date.parse('2026-11-25T12:00:00Z'),
  writtenBy: 'vm',
  pause: null,
};

const written = {
  format_version: 5,
  stream: 'user_insights',
  account_id: '17',
  cursor: '2026-11-24T08:00:00.000Z',
  covered_until: '2026-11-23T12:00:00.123Z',
  days: [
    {
      date: '2026-11-24T08:00:00.000Z',
      follower_count: 1,
      reach: null,
      reach_week: 3,
      reach_days_28: 4,
      online_followers: { 0: 5, 23: 6 },
    },
  ],
  published: 'AD+UCldMxsb//////////w==',
  refusals: [
    {
      subject: 'FEED/IMAGE',
      metric: 'views',
      reason: 'graph.metric-refused',
      until: '1970-01-01T00:00:01.000Z',
      missing_from: null,
    },
    {
      subject: '*',
      metric: 'reach',
      reason: 'graph.metric-unknown',
      until: '1970-01-01T00:00:01.000Z',
      missing_from: '1970-01-01T00:00:02.000Z',
    },
  ],
  totals: [{ date: '2026-11-24T08:00:00.000Z', values: { views: 9 } }],
  sequence: 4,
  written_at: '2026-11-25T12:00:00.000Z',
  written_by: 'vm',
} satisfies Node;

describe('a state as JSON', () => {
  test('has the names of the schema, times as text and bytes as base64', () => {
    expect(form.toJson(state)).toMatchObject(written);
  });

  test('is read back unchanged', () => {
    expect(form.fromJson(form.toJson(state), 'state')).toEqual(state);
  });

  test("has the schema's default for a field that an older version lacked", () => {
    const { published, refusals, ...older } = written;

    expect([published, refusals]).not.toContain(undefined);
    expect(form.fromJson(older, 'state')).toEqual({
      ...state,
      published: new Map(),
      rejections: [],
    });
  });

  test.each<[string, Json]>([
    ['state: expected an object, got null', null],
    [
      'state.cursor: expected a time such as 2026-11-01T07:00:00.000Z, got 5',
      { ...written, cursor: 5 },
    ],
    ['state.cursor: expected a time', { ...written, cursor: '2026-13-01T07:00:00Z' }],
    ['state.sequence: expected a whole number within 2^53, got "4"', { ...written, sequence: '4' }],
    ['state.published: expected base64, got "no base64!"', { ...written, published: 'no base64!' }],
    [
      'state: state "user_insights/17" cannot be read: its "published" has 3 bytes',
      { ...written, published: 'AAAA' },
    ],
    ['state.days: expected a list, got object', { ...written, days: {} }],
    [
      'state.days[0].date: expected a time',
      { ...written, days: [{ ...written.days[0], date: null }] },
    ],
    ['state.later: expected no such field in this version, got 1', { ...written, later: 1 }],
    [
      'state: state "user_insights/17" cannot be read: it has format 99',
      { ...written, format_version: 99 },
    ],
  ])('is rejected by path: %s', (message, json) => {
    expect(() => form.fromJson(json, 'state')).toThrow(
      expect.objectContaining({
        code: 'state.invalid',
        exitCode: 2,
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe('a key', () => {
  const key = '17841400000000001/2026-05-12T07:00:00Z';

  test('is read as its text when it is one, without a registry', async () => {
    const reader = createValueReader(registryOptions('http://127.0.0.1:1'));
    expect(await reader.readKey(Buffer.from(key), noSignal)).toEqual({ text: key, fields: null });
  });

  test('is read as its fields and as the text that they make when it is a record', async () => {
    const fields = ['business_account_id', 'date'];
    const schema = readKeySchema('user_insights', fields).text;
    await using server = await startRegistryServer({
      'GET /schemas/ids/0': [200, { schema }],
    });
    const codec = openLocalCodec(['user_insights'], { user_insights: fields });
    const bytes = codec.encoder.encodeKey('user_insights', key) ?? Buffer.alloc(0);

    const reader = createValueReader(registryOptions(server.url));
    expect(await reader.readKey(bytes, noSignal)).toEqual({
      text: key,
      fields: { business_account_id: '17841400000000001', date: '2026-05-12T07:00:00.000Z' },
    });
  });
});

describe('the JSON form of a schema', () => {
  const everyKind = createJsonForm(
    JSON.stringify({
      type: 'record',
      name: 'All',
      fields: [
        { name: 'flag', type: 'boolean' },
        { name: 'share', type: 'double' },
        { name: 'bytes', type: ['null', 'bytes'], default: null },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
        { name: 'counts', type: { type: 'map', values: 'long' } },
        { name: 'texts', type: { type: 'array', items: ['null', 'string'] } },
      ],
    }),
  );

  test('preserves every value', () => {
    fc.assert(
      fc.property(
        fc.record({
          flag: fc.boolean(),
          share: fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
          bytes: fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
          at: fc.integer({ min: 0, max: 253_402_300_799_999 }),
          counts: fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,8}$/), fc.maxSafeInteger()),
          texts: fc.array(fc.option(fc.string())),
        }),
        (value) => {
          const json = JSON.parse(JSON.stringify(everyKind.write(value))) as Json;
          const read = everyKind.read(json, '$');
          expect({ ...read, counts: { ...(read['counts'] as object) } }).toEqual({
            ...value,
            counts: { ...value.counts },
          });
        },
      ),
    );
  });
});
