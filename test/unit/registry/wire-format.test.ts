import { describe, expect, test } from '@jest/globals';
import type { Value } from '../../../src/engine/json.ts';
import { emptyCheckpoint } from '../../../src/engine/state.ts';
import type { TopicRole } from '../../../src/engine/stream-name.ts';
import { openRegistry, type RegistryAdapter } from '../../../src/registry/index.ts';
import { noSignal, registryOptions } from '../../support/registry-options.ts';
import { startRegistryServer } from '../../support/registry-server.ts';

const polledAt = 1_700_000_000_000;
const whose = { business_account_id: '17841', polled_at: polledAt };

interface Golden {
  readonly role: TopicRole;
  readonly value: Value;
  readonly hex: string;
}

/**
 * Byte 0, schema id 258 (00 00 01 02), then the body by the Avro specification. The bytes are the
 * contract with every consumer and were computed without this program: a new field adds its bytes,
 * and no other byte changes.
 */
const golden: readonly Golden[] = [
  {
    role: 'users',
    value: {
      ...whose,
      id: '17841',
      page_id: '100',
      biography: 'Café',
      followers_count: 1200,
      follows_count: 64,
      media_count: -1,
      username: 'cafe',
    },
    hex: '00000001020a31373834310a3137383431020631303080a0abfef96200020a436166c3a902e01202800102010000020863616665000000',
  },
  {
    role: 'media',
    value: {
      ...whose,
      id: 'm1',
      page_id: null,
      ig_id: '9',
      media_type: 'VIDEO',
      owner: { id: '17841' },
      timestamp: polledAt,
      comments_count: 3,
      is_comment_enabled: true,
      media_product_type: 'REELS',
      children: [{ id: 'c1' }],
    },
    hex: '0000000102046d310a31373834310080a0abfef962020239020a564944454f00020a31373834310000000280a0abfef96200000206020100020a5245454c530000000000000002020463310000000000000000000000000000',
  },
  {
    role: 'media_insights',
    value: {
      ...whose,
      id: 'm1',
      media_product_type: 'REELS',
      timestamp: polledAt,
      views: 300,
      ig_reels_avg_watch_time: 1.5,
      ig_reels_video_view_total_time: 90_000,
    },
    hex: '0000000102046d310a31373834310080a0abfef96200020a5245454c530280a0abfef96202d8040000000000000000000002000000000000f83f02a0fe0a00000000000000',
  },
  {
    role: 'stories',
    value: {
      ...whose,
      id: 's1',
      media_type: 'IMAGE',
      owner: { id: '17841' },
      timestamp: polledAt,
      username: 'cafe',
      like_count: 0,
      media_product_type: 'STORY',
    },
    hex: '00000001020473310a31373834310080a0abfef96200020a494d41474500020a31373834310000000280a0abfef962020863616665000200020a53544f5259',
  },
  {
    role: 'story_insights',
    value: {
      ...whose,
      id: 's1',
      timestamp: polledAt,
      reach: 7,
      navigation: 4,
      navigation_actions: { tap_forward: 3, tap_exit: 1 },
    },
    hex: '00000001020473310a31373834310080a0abfef9620280a0abfef962020e00000000000002080204167461705f666f727761726406107461705f65786974020000000000000000',
  },
  {
    role: 'user_insights',
    value: {
      ...whose,
      date: polledAt,
      follower_count: 5,
      reach: 70,
      online_followers: { '0': 12 },
    },
    hex: '00000001020a31373834310080a0abfef96280a0abfef962020a028c010000020202301800',
  },
  {
    role: 'user_lifetime_insights',
    value: { ...whose, metric: 'follower_demographics', breakdown: 'country', value: { DE: 40 } },
    hex: '00000001020a31373834310080a0abfef9622a666f6c6c6f7765725f64656d6f67726170686963730e636f756e747279020444455000',
  },
  {
    role: 'dead_letters',
    value: {
      ...whose,
      stream: 'media',
      poll: 'media/17841/1',
      code: 'mapping.invalid',
      message: 'no',
      path: 'id',
      raw: '{}',
    },
    hex: '00000001020a31373834310080a0abfef9620a6d656469611a6d656469612f31373834312f311e6d617070696e672e696e76616c6964046e6f046964047b7d00',
  },
];

/** A prepared adapter; its registry is closed, because encoding needs none. */
async function openPrepared(role: TopicRole): Promise<RegistryAdapter> {
  await using server = await startRegistryServer({}, 258);
  const registry = openRegistry(registryOptions(server.url, { roles: [role] }));
  await registry.prepare(noSignal);
  return registry;
}

describe('the encoder', () => {
  for (const { role, value, hex } of golden) {
    test(`writes byte 0, the schema id and the Avro body of ${role}`, async () => {
      const { encoder } = await openPrepared(role);

      expect(encoder.encode(role, value).toString('hex')).toBe(hex);
    });
  }

  test('provides the schema id from the registry', async () => {
    const { encoder } = await openPrepared('users');

    expect(encoder.schemaId('users')).toBe(258);
  });

  test('sends no request to the registry after it is prepared', async () => {
    await using server = await startRegistryServer();
    const registry = openRegistry(registryOptions(server.url, { roles: ['users', 'state'] }));
    await registry.prepare(noSignal);
    const { encoder, stateCodec } = registry;
    const askedBefore = server.asked.length;

    for (let n = 0; n < 100; n += 1) encoder.encode('users', { ...whose, id: `u${n}` });
    const state = {
      ...emptyCheckpoint,
      stream: 'media',
      accountId: '17841',
      sequence: 1,
      writtenAtMs: polledAt,
      writtenBy: 'host-1',
      pause: null,
    } as const;
    const bytes = stateCodec.encode(state);

    expect(await stateCodec.decode('media/17841', bytes)).toEqual(state);
    expect(askedBefore).toBeGreaterThan(0);
    expect(server.asked).toHaveLength(askedBefore);
  });

  test('writes a record above 1 KB completely', async () => {
    const { encoder } = await openPrepared('users');
    const biography = 'x'.repeat(3000);

    const bytes = encoder.encode('users', { ...whose, id: '1', biography });

    // 3,000 as Avro's length is f0 2e.
    const body = `02 31 0a 31 37 38 34 31 00 80 a0 ab fe f9 62 00 02 f0 2e`.replaceAll(' ', '');
    expect(bytes.toString('hex')).toBe(`0000000102${body}${'78'.repeat(3000)}000000000000000000`);
  });

  test('leaves the bytes of a record unchanged when later records follow', async () => {
    const { encoder } = await openPrepared('users');
    const sizes = [1, 10, 1023, 1024, 1025, 70_000, 900_000, 1_048_576, 3_000_000];
    const encode = (size: number, n: number) =>
      encoder.encode('users', { ...whose, id: String(n % 10), biography: 'b'.repeat(size) });

    const all = Array.from({ length: 5 }, () => sizes.map(encode)).flat();

    const again = Array.from({ length: 5 }, () => sizes.map(encode)).flat();
    expect(all.map(({ length }) => length)).toEqual(again.map(({ length }) => length));
    expect(all.every((bytes, n) => bytes.equals(again[n] ?? Buffer.alloc(0)))).toBe(true);
    expect(all.map((bytes) => bytes.subarray(0, 7).toString('latin1'))).toEqual(
      Array.from({ length: 45 }, (_, n) => `\u0000\u0000\u0000\u0001\u0002\u0002${n % 9}`),
    );
  });

  test('names the field, the expected type and the actual value when a value is invalid', async () => {
    const { encoder } = await openPrepared('media');
    const value = { ...whose, id: 'm1', children: [{ id: 'c1' }, { id: 7 }] };

    expect(() => encoder.encode('media', value)).toThrow(
      expect.objectContaining({
        disposition: 'dead-letter',
        code: 'encoding.invalid',
        path: 'children.1.id',
        raw: JSON.stringify(value),
        message: 'record of media, field "children.1.id": expected "string", got 7',
      }),
    );
  });

  test('encodes the next record after a rejected one', async () => {
    const { encoder } = await openPrepared('users');
    const next = { ...whose, id: '1' };
    const before = encoder.encode('users', next).toString('hex');

    expect(() => encoder.encode('users', { ...whose, id: '2', website: true })).toThrow('website');

    expect(encoder.encode('users', next).toString('hex')).toBe(before);
  });

  test('rejects a number that Avro would round', async () => {
    const { encoder } = await openPrepared('users');

    expect(() => encoder.encode('users', { ...whose, id: '1', media_count: 1.5 })).toThrow(
      'record of users, field "media_count"',
    );
  });

  test('fails with an internal error before the schemas are prepared', () => {
    const { encoder } = openRegistry(registryOptions('http://127.0.0.1:1'));

    expect(() => encoder.encode('users', { ...whose, id: '1' })).toThrow(
      'the schema of users was not prepared',
    );
  });
});
