import { describe, expect, test } from '@jest/globals';
import { describeFuture, readAirbyteState } from '../../../../src/cli/state/airbyte-state.ts';
import type { Json } from '../../../../src/engine/json.ts';

const nowMs = Date.parse('2026-11-25T12:00:00Z');
const account = '17841400000000001';
const other = '17841400000000002';
const date = '2026-11-20T08:00:00+00:00';
const dateMs = Date.parse(date);

function cursorsOf(document: Json): Record<string, number> {
  const { cursors } = readAirbyteState(document, nowMs);
  return Object.fromEntries(cursors.map(({ accountId, cursorMs }) => [accountId, cursorMs]));
}

function refusalOf(document: Json): unknown {
  try {
    return readAirbyteState(document, nowMs);
  } catch (error) {
    return error;
  }
}

/** A state of the current Airbyte versions, with all their fields. */
const perPartition = {
  use_global_cursor: false,
  states: [
    { partition: { business_account_id: account }, cursor: { date } },
    {
      partition: { business_account_id: other },
      cursor: { date: '2026-11-21T08:00:00+00:00' },
    },
  ],
  state: { date: '2026-11-21T08:00:00+00:00' },
  lookback_window: 4,
  parent_state: {},
};
const bothCursors = { [account]: dateMs, [other]: Date.parse('2026-11-21T08:00:00Z') };

describe("Airbyte's state of user_insights", () => {
  test('is read as a list of partitions', () => {
    expect(cursorsOf(perPartition)).toEqual(bothCursors);
  });

  test('is read as a minimal list of partitions', () => {
    expect(
      cursorsOf({ states: [{ partition: { business_account_id: account }, cursor: { date } }] }),
    ).toEqual({ [account]: dateMs });
  });

  test('is read as a map of maps', () => {
    expect(cursorsOf({ [account]: { date } })).toEqual({ [account]: dateMs });
  });

  test('is read as a map of dates', () => {
    expect(cursorsOf({ [account]: '2021-03-23T07:00:00+00:00' })).toEqual({
      [account]: Date.parse('2021-03-23T07:00:00Z'),
    });
  });

  test.each<[string, Json]>([
    ['null', null],
    ['an empty object', {}],
    ['an empty list of partitions', { states: [] }],
    ['an account without a cursor', { [account]: {} }],
    ['an account whose state is null', { [account]: null }],
    [
      'a partition with an empty cursor',
      { states: [{ partition: { business_account_id: account }, cursor: {} }] },
    ],
  ])('has no cursor when it is %s', (_, document) => {
    expect(readAirbyteState(document, nowMs)).toEqual({ cursors: [], future: [] });
  });

  test.each<[string, Json]>([
    [
      "a connection's state",
      {
        stateType: 'stream',
        connectionId: '0f6a',
        streamState: [
          { streamDescriptor: { name: 'media' }, streamState: {} },
          {
            streamDescriptor: { name: 'user_insights', namespace: null },
            streamState: perPartition,
          },
        ],
      },
    ],
    [
      "a connection's state with underscores",
      {
        state_type: 'STREAM',
        stream_state: [
          { stream_descriptor: { name: 'user_insights' }, stream_state: perPartition },
        ],
      },
    ],
    [
      "a connection's state of all streams together",
      {
        stateType: 'global',
        globalState: {
          sharedState: {},
          streamStates: [
            { streamDescriptor: { name: 'user_insights' }, streamState: perPartition },
          ],
        },
      },
    ],
    [
      "a connection's legacy state",
      { stateType: 'legacy', state: { user_insights: perPartition } },
    ],
    ['a map of streams', { user_insights: perPartition, users: {} }],
    [
      "a stream's entry",
      { streamDescriptor: { name: 'user_insights' }, streamState: perPartition },
    ],
    [
      'a list of entries',
      [{ stream_descriptor: { name: 'user_insights' }, stream_state: perPartition }],
    ],
    [
      'a message',
      {
        type: 'STATE',
        state: {
          type: 'STREAM',
          stream: { stream_descriptor: { name: 'user_insights' }, stream_state: perPartition },
          sourceStats: { recordCount: 3 },
        },
      },
    ],
    [
      'an old message',
      { type: 'STATE', state: { type: 'LEGACY', data: { user_insights: perPartition } } },
    ],
    [
      'a message without a type',
      { type: 'STATE', state: { data: null, user_insights: perPartition } },
    ],
    [
      "a sync's messages, whose last state counts",
      [
        { type: 'LOG', log: { level: 'INFO', message: 'Starting syncing' } },
        {
          type: 'STATE',
          state: {
            type: 'STREAM',
            stream: {
              stream_descriptor: { name: 'user_insights' },
              stream_state: { states: [] },
            },
          },
        },
        { type: 'RECORD', record: { stream: 'user_insights', data: {} } },
        {
          type: 'STATE',
          state: {
            type: 'STREAM',
            stream: { stream_descriptor: { name: 'user_insights' }, stream_state: perPartition },
          },
        },
        {
          type: 'STATE',
          state: {
            type: 'STREAM',
            stream: { stream_descriptor: { name: 'media' }, stream_state: {} },
          },
        },
      ],
    ],
  ])('is found in %s', (_, document) => {
    expect(cursorsOf(document)).toEqual(bothCursors);
  });

  test.each<[string, Json]>([
    ['the state of a connection that never synced', { stateType: 'not_set' }],
    [
      'a list of other streams',
      [{ streamDescriptor: { name: 'media' }, streamState: { anything: [1] } }],
    ],
    ['a list of messages without a state', [{ type: 'LOG', log: {} }]],
  ])('is absent when the document is %s', (_, document) => {
    expect(cursorsOf(document)).toEqual({});
  });

  test('has no cursor when the date is null', () => {
    const partition = { business_account_id: account };
    expect(cursorsOf({ states: [{ partition, cursor: { date: null } }] })).toEqual({});
    expect(cursorsOf({ [account]: { date: null }, [other]: { date } })).toEqual({
      [other]: dateMs,
    });
    expect(cursorsOf({ [account]: null })).toEqual({});
  });

  test('has the later date when an account is listed twice', () => {
    const partition = { business_account_id: account };
    const states = [
      { partition, cursor: { date } },
      { partition, cursor: { date: '2026-11-01T08:00:00+00:00' } },
    ];
    expect(cursorsOf({ states })).toEqual({ [account]: dateMs });
  });

  test('excludes and reports a date more than a day in the future', () => {
    const { cursors, future } = readAirbyteState(
      { [account]: { date: '2222-01-01T00:00:00Z' }, [other]: { date: '2026-11-26T12:00:00Z' } },
      nowMs,
    );

    expect(cursors.map(({ accountId }) => accountId)).toEqual([other]);
    expect(future.map(describeFuture)).toEqual([
      'account 17841400000000001 is left out: its cursor ($.17841400000000001.date) is ' +
        '2222-01-01T00:00:00Z, which is more than a day ahead of now and so cannot say what was read',
    ]);
  });

  test.each<[string, Json, string]>([
    ['a text', 'abc', '$: expected an object or null, got "abc"'],
    ['a number', 7, '$: expected an object or null, got 7'],
    [
      'a name that is not an account id',
      { foo: { date } },
      '$.foo: expected an account id (digits) as the name, got "foo"',
    ],
    [
      'a list as an account’s state',
      { [account]: [date] },
      `$.${account}: expected an object with "date", got list`,
    ],
    [
      'a date of another type',
      { [account]: { date: 5 } },
      `$.${account}.date: expected a time such as 2025-06-28T07:00:00+00:00, got 5`,
    ],
    [
      'an account without a date',
      { [account]: { day: date } },
      `$.${account}.date: expected a time such as 2025-06-28T07:00:00+00:00, got nothing`,
    ],
    [
      'a date before 2010',
      {
        states: [
          { partition: { business_account_id: account }, cursor: { date: '1970-01-01T00:00:00Z' } },
        ],
      },
      '$.states[0].cursor.date: expected a time after 2010-01-01, when Instagram began, got "1970-01-01T00:00:00Z"',
    ],
    [
      'a date that does not exist',
      { [account]: '2026-02-30T00:00:00Z' },
      `$.${account}: expected a time such as 2025-06-28T07:00:00+00:00, got "2026-02-30T00:00:00Z"`,
    ],
    [
      'states that are not a list',
      { states: {} },
      '$.states: expected a list of partitions, got object',
    ],
    [
      'a partition that is not an object',
      { states: [1] },
      '$.states[0]: expected an object with "partition" and "cursor", got 1',
    ],
    [
      'an account id as a number',
      { states: [{ partition: { business_account_id: 17 }, cursor: { date } }] },
      '$.states[0].partition.business_account_id: expected an account id (a text of digits), got 17',
    ],
    [
      'a partition without an account',
      { states: [{ partition: {}, cursor: { date } }] },
      '$.states[0].partition.business_account_id: expected an account id (a text of digits), got nothing',
    ],
    [
      'a cursor that is not an object',
      { states: [{ partition: { business_account_id: account }, cursor: date }] },
      `$.states[0].cursor: expected an object with "date", got "${date}"`,
    ],
    [
      'one cursor for all accounts',
      { use_global_cursor: true, state: { date } },
      '$.states: expected a list of partitions (a cursor of all accounts together does not say what was read of each), got nothing',
    ],
    [
      'a list of bare states',
      [perPartition],
      '$[0]: expected a message of type STATE, or an object with a stream descriptor, got object',
    ],
    [
      'a stream without a name',
      [{ streamDescriptor: {}, streamState: {} }],
      '$[0].streamDescriptor.name: expected the name of a stream, got nothing',
    ],
    [
      'a connection of an unknown type',
      { stateType: 'x' },
      '$.stateType: expected stream, global, legacy or not_set, got "x"',
    ],
    [
      'streams that are not a list',
      { stateType: 'global', globalState: { streamStates: 1 } },
      '$.globalState.streamStates: expected a list, got 1',
    ],
    ['a message without a state', { type: 'STATE' }, '$.state: expected an object, got nothing'],
  ])('is rejected with its path when it contains %s', (_, document, message) => {
    expect(refusalOf(document)).toMatchObject({
      code: 'state.invalid',
      exitCode: 2,
      message: `Airbyte's state, ${message}. Nothing was changed.`,
    });
  });
});
