import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  emptyCheckpoint,
  stateFormatVersion,
  type StreamState,
} from '../../../src/engine/state.ts';
import { openRegistry } from '../../../src/registry/index.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer } from '../../support/registry-server.ts';
import { decode, golden, key, known, state } from './golden-states.ts';

const repair = (name: string) =>
  'Nothing was changed. To begin again from the start date: stop the program, run ' +
  `"instagram-kafka state reset ${name} --apply", start it again`;

/** The error of an unreadable state: stops the stream, with the reason and the repair. */
function unreadable(why: string, name = key): object {
  return {
    disposition: 'stop-stream',
    code: 'state.unreadable',
    message: `state "${name}" cannot be read: ${why}. ${repair(name)}`,
  };
}

/** The error when the registry has other schema ids than the state: no reset is advised. */
function ofAnotherRegistry(has: string): object {
  return {
    disposition: 'stop-stream',
    code: 'registry.mismatch',
    message: expect.stringMatching(
      new RegExp(
        `^states cannot be read: the registry at http://127\\.0\\.0\\.1:\\d+ ${has}, by which they ` +
          'were written\\. Nothing was changed\\. Likely causes: the registry lost its data \\(restore its ' +
          'backup or its `_schemas` topic\\), or the topic was copied from another cluster, whose ' +
          'registry has other ids \\(set SCHEMA_REGISTRY_URL to that registry, or copy its schemas ' +
          'to this one with their ids\\)\\. Then start again$',
      ),
    ),
  };
}

describe('the state codec', () => {
  test('reads back the totals of days', async () => {
    await using server = await startRegistryServer();
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const totals = [
      { dateMs: 1_700_000_000_000, values: { views: 7, follows: 0 } },
      { dateMs: 1_700_086_400_000, values: {} },
    ];
    const full: StreamState = { ...state, stream: 'user_daily_totals', days: [], totals };

    const bytes = registry.stateCodec.encode(full);

    expect(await registry.stateCodec.decode('user_daily_totals/17841', bytes)).toEqual(full);
  });

  test('reads back a state that it wrote', async () => {
    await using server = await startRegistryServer();
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);

    const bytes = registry.stateCodec.encode(state);

    expect(await registry.stateCodec.decode(key, bytes)).toEqual(state);
  });

  test('reads back fingerprints, at about 16 bytes per key, and rejections', async () => {
    await using server = await startRegistryServer();
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;
    const empty: StreamState = { ...state, stream: 'media_insights', days: [], cursorMs: null };
    const published = new Map(
      Array.from({ length: 1000 }, (_, index) => [
        String(17_841_400_000_000_000n + BigInt(index)),
        2n ** 64n - 1n - BigInt(index),
      ]),
    );
    const full: StreamState = {
      ...empty,
      polledMs: 1_700_000_000_000,
      convertedMs: 1_500_000_000_000,
      truncationSuspectedMs: 1_600_000_000_000,
      published,
      deadLetters: [2n ** 64n - 1n, 1n],
      rejections: [
        {
          subject: '*',
          metric: 'views',
          reason: 'graph.metric-unknown',
          untilMs: 1_800_000_000_000,
        },
        { subject: '17841', metric: null, reason: 'graph.gone', untilMs: null },
        {
          subject: '*',
          metric: 'reach',
          reason: 'graph.metric-unknown',
          untilMs: 1_800_000_000_000,
          missingFromMs: 1_700_000_000_000,
        },
      ],
    };

    const bytes = stateCodec.encode(full);

    expect(await stateCodec.decode('media_insights/17841', bytes)).toEqual(full);
    const per = (bytes.length - stateCodec.encode(empty).length) / 1000;
    expect(per).toBeLessThan(16.2);
  });

  test('reads back a state without a cursor and without days', async () => {
    await using server = await startRegistryServer();
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;
    const first: StreamState = { ...state, cursorMs: null, coveredUntilMs: null, days: [] };

    expect(await stateCodec.decode(key, stateCodec.encode(first))).toEqual(first);
  });

  test("reads a state whose writer's schema had fewer optional fields", async () => {
    const fields = [
      { name: 'format_version', type: 'int' },
      { name: 'stream', type: 'string' },
      { name: 'account_id', type: 'string' },
      { name: 'sequence', type: 'long' },
      { name: 'written_at', type: 'long' },
      { name: 'written_by', type: 'string' },
    ];
    const schema = JSON.stringify({
      type: 'record',
      namespace: 'instagram',
      name: 'State',
      fields,
    });

    const read = await decode(
      '0000000102020a6d656469610a31373834310280a0abfef9620268',
      {
        'GET /schemas/ids/258': [200, { schema }],
      },
      'media/17841',
    );

    expect(read).toEqual({
      ...emptyCheckpoint,
      stream: 'media',
      accountId: '17841',
      sequence: 1,
      writtenAtMs: 1_700_000_000_000,
      writtenBy: 'h',
      pause: null,
    });
  });

  test('rejects a newer format and advises an upgrade or a reset (Invariant 2)', async () => {
    // The golden bytes with format 99 (zigzag c6 01).
    const newer = golden.replace('000000010202', '0000000102c601');

    await expect(decode(newer)).rejects.toMatchObject(
      unreadable(
        `it has format 99, newer than ${stateFormatVersion}, which this version knows: upgrade`,
      ),
    );
  });

  test('rejects a state under the key of another one', async () => {
    await expect(decode(golden, {}, 'user_insights/17842')).rejects.toMatchObject(
      unreadable('it belongs to "user_insights/17841"', 'user_insights/17842'),
    );
  });

  test('keeps the state of a stream that only a newer version knows', async () => {
    const unknown = golden.replace(
      Buffer.from('user_insights').toString('hex'),
      Buffer.from('user_insighxs').toString('hex'),
    );

    await expect(decode(unknown, {}, 'user_insighxs/17841')).resolves.toMatchObject({
      stream: 'user_insighxs',
      sequence: 3,
    });
  });

  for (const [what, hex] of [
    ['an empty value', ''],
    ['a header without a body', '0000000102'],
    ['JSON', Buffer.from('{"cursor":1}').toString('hex')],
  ] as const) {
    test(`rejects ${what} because it is not an Avro record`, async () => {
      await expect(decode(hex)).rejects.toMatchObject(
        unreadable('its value is not an Avro record of a schema registry'),
      );
    });
  }

  test('rejects bytes that are truncated at any length', async () => {
    const whole = golden.length / 2;

    for (let length = 6; length < whole; length += 1) {
      await expect(decode(golden.slice(0, 2 * length))).rejects.toMatchObject({
        disposition: 'stop-stream',
        code: 'state.unreadable',
      });
    }
  });

  test('reads any bytes as unreadable or as the state of their key', async () => {
    const header = Buffer.from('0000000102', 'hex');
    await using server = await startRegistryServer({ 'GET /schemas/ids/258': known });
    const { stateCodec } = openRegistry(registryOptions(server.url));
    const whole = Buffer.from(golden, 'hex');
    const anyBody = fc.uint8Array({ maxLength: 80 }).map((body) => Buffer.concat([header, body]));
    const oneByteOff = fc
      .tuple(fc.nat(whole.length - 6), fc.nat(255))
      .map(([at, byte]) =>
        Buffer.concat([whole.subarray(0, 5 + at), Buffer.from([byte]), whole.subarray(6 + at)]),
      );

    await fc.assert(
      fc.asyncProperty(fc.oneof(anyBody, oneByteOff), async (bytes) => {
        const read = await stateCodec.decode(key, bytes).catch((error: unknown) => error);
        const { code = null, stream = null } = read as { code?: string; stream?: string };
        expect([
          ['state.unreadable', null],
          [null, 'user_insights'],
        ]).toContainEqual([code, stream]);
      }),
      { numRuns: 500 },
    );
  });

  test('rejects at once a list that claims more entries than there are bytes', async () => {
    // The one day of the golden bytes becomes 2^48 days.
    const endless = golden.replace(
      '0280a0abfef9620280a0abfef9620280',
      '0280a0abfef9620280a0abfef962808080808080800180',
    );
    expect(endless).not.toBe(golden);
    await expect(decode(endless)).rejects.toMatchObject({
      code: 'state.unreadable',
      message:
        `state "${key}" cannot be read: its bytes end before it does. Nothing was changed. If the ` +
        'topic was copied from another cluster, set SCHEMA_REGISTRY_URL to the registry of that ' +
        'cluster and keep the state. Otherwise, to begin again from the start date: stop the program, ' +
        `run "instagram-kafka state reset ${key} --apply", start it again`,
    });
  });

  test('uses its own schema for its own schema id, whatever schema the registry has under that id', async () => {
    const other = '{"type":"record","name":"Other","fields":[]}';
    const script = { 'GET /schemas/ids/1': [200, { schema: other }] } as const;
    await using server = await startRegistryServer(script);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;

    expect(await stateCodec.decode(key, stateCodec.encode(state))).toEqual(state);
  });

  test('rejects a negative sequence', async () => {
    // The golden bytes with sequence -3 (zigzag 05).
    const below = golden.replace('0680a0abfef9620c68', '0580a0abfef9620c68');
    await expect(decode(below)).rejects.toMatchObject(unreadable('its sequence is -3'));
  });

  test('rejects bytes after the end of the record', async () => {
    await expect(decode(`${golden}00`)).rejects.toMatchObject({ code: 'state.unreadable' });
  });

  for (const [what, name, body] of [
    ['a string', 'string', { schema: '"string"' }],
    ['another record', 'R7', { schema: '{"type":"record","name":"R7","fields":[]}' }],
    ['a JSON Schema', 'not Avro', { schemaType: 'JSON', schema: '{"type":"object"}' }],
    [
      'an incompatible state',
      'instagram\\.State',
      { schema: '{"type":"record","namespace":"instagram","name":"State","fields":[]}' },
    ],
  ] as const) {
    test(`names the registry and does not advise a reset when the schema id belongs to ${what}`, async () => {
      const script = { 'GET /schemas/ids/258': [200, body] } as const;

      await expect(decode(golden, script)).rejects.toMatchObject(
        ofAnotherRegistry(`has another schema \\(${name}\\) under id 258`),
      );
    });
  }

  test('names the registry and does not advise a reset when the registry does not know the schema id', async () => {
    const body = { error_code: 40403, message: 'Schema 258 not found' };

    await expect(decode(golden, { 'GET /schemas/ids/258': [404, body] })).rejects.toMatchObject(
      ofAnotherRegistry('knows no schema with id 258'),
    );
  });

  test('requests a schema once for concurrent reads of states', async () => {
    const body = { error_code: 40403, message: 'Schema 258 not found' };
    await using server = await startRegistryServer({ 'GET /schemas/ids/258': [404, body] });
    const { stateCodec } = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    const bytes = Buffer.from(golden, 'hex');
    const reading = Array.from({ length: 20 }, () => stateCodec.decode(key, bytes));

    const read = await Promise.allSettled(reading);

    expect(read.every(({ status }) => status === 'rejected')).toBe(true);
    expect(server.asked).toEqual(['GET /schemas/ids/258']);
  });

  test('throws a retriable error when the registry answers 503', async () => {
    await expect(decode(golden, { 'GET /schemas/ids/258': [503, 'busy'] })).rejects.toMatchObject({
      disposition: 'retry',
      code: 'registry.unavailable',
    });
  });

  test('throws a retriable error when the registry answers an error with the body null', async () => {
    await expect(decode(golden, { 'GET /schemas/ids/258': [422, null] })).rejects.toMatchObject({
      disposition: 'retry',
      code: 'registry.unavailable',
    });
  });

  test('throws a retriable error when the registry does not answer', async () => {
    await expect(decode(golden, { 'GET /schemas/ids/258': 'silence' })).rejects.toMatchObject({
      disposition: 'retry',
      code: 'registry.unavailable',
      message: expect.stringContaining('(nothing within 100 ms)'),
    });
  });

  test('stops the process when the registry rejects the password', async () => {
    await expect(
      decode(golden, { 'GET /schemas/ids/258': [401, { error_code: 401, message: 'no' }] }),
    ).rejects.toMatchObject({ disposition: 'stop-process', code: 'registry.unauthorized' });
  });
});
