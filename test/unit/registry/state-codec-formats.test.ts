import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import avro, { type Schema } from 'avsc';
import type { StoryOutcome, StreamState } from '../../../src/engine/state.ts';
import { openRegistry } from '../../../src/registry/index.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer, type RegistryScript } from '../../support/registry-server.ts';
import {
  decode,
  golden,
  goldenOfFormat2,
  goldenOfFormat3,
  goldenOfFormat4,
  goldenOfFormat5,
  goldenOfFormat6,
  goldenOfFormat7,
  goldenWithoutDelivered,
  goldenWithoutPause,
  key,
  pause,
  pausedWithoutDelivered,
  refusingOfFormat3,
  schema2,
  schema3,
  schema4,
  schema5,
  schema6,
  state,
  story,
} from './golden-states.ts';

describe('the state codec', () => {
  test('writes byte 0, the schema id and the Avro body', async () => {
    await using server = await startRegistryServer({}, 258);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;

    const hexOf = (written: StreamState) => stateCodec.encode(written).toString('hex');
    expect(hexOf(state)).toBe(goldenWithoutDelivered);
    expect(hexOf({ ...state, pause })).toBe(pausedWithoutDelivered);
    expect(hexOf({ ...state, stories: [story] })).toBe(goldenOfFormat7);
  });

  test('reads format 1 (Invariant 2)', async () => {
    expect(await decode(golden)).toEqual(state);
  });

  test('reads format 2 (Invariant 2)', async () => {
    const script: RegistryScript = { 'GET /schemas/ids/258': [200, { schema: schema2 }] };

    expect(await decode(goldenOfFormat2, script)).toEqual(state);
  });

  test('reads format 3, in which rejections have no missing_from (Invariant 2)', async () => {
    const script: RegistryScript = { 'GET /schemas/ids/258': [200, { schema: schema3 }] };

    expect(await decode(goldenOfFormat3, script)).toEqual(state);
    expect(await decode(refusingOfFormat3, script)).toEqual({
      ...state,
      rejections: [{ subject: '*', metric: 'views', reason: 'graph.gone', untilMs: null }],
    });
  });

  test('reads format 4, in which insights readings and seen comments are absent (Invariant 2)', async () => {
    const script: RegistryScript = { 'GET /schemas/ids/258': [200, { schema: schema4 }] };

    expect(await decode(goldenOfFormat4, script)).toEqual(state);
  });

  test('reads format 5, in which a pause is absent (Invariant 2)', async () => {
    const script: RegistryScript = { 'GET /schemas/ids/258': [200, { schema: schema5 }] };

    expect(await decode(goldenOfFormat5, script)).toEqual(state);
  });

  test('reads format 6, in which delivered comments and stories are absent (Invariant 2)', async () => {
    const script: RegistryScript = { 'GET /schemas/ids/258': [200, { schema: schema6 }] };

    expect(await decode(goldenWithoutPause, script)).toEqual(state);
    expect(await decode(goldenOfFormat6, script)).toEqual({ ...state, pause });
  });

  test('lets an older version read a state without them by the schema of format 5 or 6', () => {
    const type = (schema: string) => avro.Type.forSchema(JSON.parse(schema) as Schema);
    const newer = readFileSync(new URL('../../../avro/state.avsc', import.meta.url), 'utf8');
    for (const older of [schema5, schema6].map(type)) {
      const resolver = older.createResolver(type(newer));
      const read = (hex: string): unknown =>
        older.fromBuffer(Buffer.from(hex, 'hex').subarray(5), resolver);

      expect(read(goldenWithoutDelivered)).toMatchObject({ format_version: 5, sequence: 3 });
      expect(read(pausedWithoutDelivered)).toMatchObject({ format_version: 6, sequence: 3 });
      expect(read(goldenOfFormat7)).toMatchObject({ format_version: 7, sequence: 3 });
    }
  });

  test('reads back a pause, with an end and without', async () => {
    await using server = await startRegistryServer({}, 258);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;

    for (const untilMs of [pause.untilMs, null]) {
      const paused = { ...state, pause: { ...pause, untilMs } };
      expect(await stateCodec.decode(key, stateCodec.encode(paused))).toEqual(paused);
    }
  });

  test('reads back the stories', async () => {
    await using server = await startRegistryServer({}, 258);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;
    const read = {
      createdMs: 1_700_000_000_000,
      readMs: 1_700_000_600_000,
      values: { views: 120, navigation: 25 },
      actions: { navigation_actions: { tap_forward: 19, tap_exit: 6 } },
    };
    const ended = { fewViewers: true, outcome: 'deleted', untilMs: 1_700_000_900_000 } as const;
    const stories = [story, { ...story, ...read }, { ...story, ...ended }];
    const bytes = stateCodec.encode({ ...state, stories });

    expect(await stateCodec.decode(key, bytes)).toStrictEqual({ ...state, stories });
    const later = { ...story, outcome: 'merged' as StoryOutcome };
    const unknown = stateCodec.encode({ ...state, stories: [later] });
    expect((await stateCodec.decode(key, unknown)).stories).toEqual([
      { ...story, outcome: 'final' },
    ]);
  });

  test('reads back searched hashtags, with an id and without', async () => {
    await using server = await startRegistryServer({}, 258);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;
    const hashtags = [
      { name: 'coke', id: '17841593698074073', countedMs: 1_700_000_000_000 },
      { name: 'café', id: null, countedMs: 1_700_000_000_001 },
    ];
    const searched: StreamState = { ...state, hashtags };

    expect(await stateCodec.decode(key, stateCodec.encode(searched))).toEqual(searched);
  });

  test('reads back the checkpoint of comments and of insights', async () => {
    await using server = await startRegistryServer({}, 258);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;
    const full: StreamState = {
      ...state,
      published: new Map([
        ['17', 5n],
        ['18', 6n],
      ]),
      insightsRead: new Map([['18', 2n ** 64n - 1n]]),
      seen: new Map([['17', new Set(['9', '18446744073709551615'])]]),
      delivered: new Map([['18', new Set(['10'])]]),
      reading: {
        mediaId: '18',
        after: 'QVFI',
        published: ['7'],
        newestMs: 1_700_000_000_000,
        oldestMs: null,
      },
    };

    expect(await stateCodec.decode(key, stateCodec.encode(full))).toEqual(full);
  });
});
