import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { StopProcessError } from '../../../src/engine/errors.ts';
import type { Json } from '../../../src/engine/json.ts';
import { streamNames } from '../../../src/instagram/streams/index.ts';
import type { TopicRole } from '../../../src/engine/stream-name.ts';
import { readSchema } from '../../../src/registry/schemas.ts';
import { noSignal } from '../../support/registry-options.ts';
import { createRegistryWorld, type RegistryWorld } from '../../support/registry-world.ts';

const roles: readonly TopicRole[] = [...streamNames, 'state', 'dead_letters', 'notifications'];
const user = { id: '1', business_account_id: '1', polled_at: 1_700_000_000_000 };

let world: RegistryWorld;

beforeEach(async () => {
  world = await createRegistryWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** The error of a preparation. */
async function refusal(preparing: Promise<unknown>): Promise<StopProcessError> {
  return (await preparing.then(
    () => undefined,
    (reason: unknown) => reason,
  )) as StopProcessError;
}

/** A proxy in front of the registry that can be closed and opened again. */
interface Gate extends AsyncDisposable {
  readonly url: string;
  shut(): Promise<void>;
  reopen(): Promise<void>;
}

async function openGate(registryUrl: string): Promise<Gate> {
  const { hostname, port, pathname } = new URL(registryUrl);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect({ host: hostname, port: Number(port) });
    sockets.add(socket).add(onward);
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  const listen = async (at: number) => {
    server.listen(at, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const shut = async () => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
    await once(server, 'close');
  };
  const own = await listen(0);
  return {
    url: `http://127.0.0.1:${own}${pathname}`,
    shut,
    async reopen() {
      await listen(own);
    },
    [Symbol.asyncDispose]: shut,
  };
}

describe('preparation of the registry', () => {
  test('registers every subject once, with the configured compatibility level', async () => {
    await world.openReady({ roles });

    const subjects = roles.map((role) => world.subjectOf(role));
    expect(await world.listSubjects()).toEqual([...subjects].sort());
    for (const subject of subjects) {
      expect(await world.get(`/subjects/${subject}/versions`)).toEqual([1]);
      expect(await world.get(`/config/${subject}`)).toEqual({
        compatibilityLevel: 'FULL_TRANSITIVE',
      });
    }
  });

  test('registers each schema as in its file, documentation included', async () => {
    await world.openReady({ roles: ['media'] });

    const latest = (await world.get(`/subjects/${world.subjectOf('media')}/versions/latest`)) as {
      schema: string;
    };
    expect(JSON.parse(latest.schema)).toEqual(JSON.parse(readSchema('media').text));
  });

  test('sets the compatibility level of its own subject that has none', async () => {
    const schema = JSON.parse(readSchema('users').text) as Json;
    expect(await world.register('users', schema)).toBe(200);

    await world.openReady({ roles: ['users'] });

    expect(await world.get(`/config/${world.subjectOf('users')}`)).toEqual({
      compatibilityLevel: 'FULL_TRANSITIVE',
    });
  });

  test('finds the same ids and registers nothing the second time', async () => {
    const first = await world.openReady({ roles });
    const second = await world.openReady({ roles });

    expect(roles.map((role) => second.encoder.schemaId(role))).toEqual(
      roles.map((role) => first.encoder.schemaId(role)),
    );
    for (const role of roles) {
      expect(await world.get(`/subjects/${world.subjectOf(role)}/versions`)).toEqual([1]);
    }
  });

  test('gives concurrently starting instances the same ids', async () => {
    const start = async (): Promise<readonly number[]> => {
      const registry = world.open({ roles });
      // The start retries a subject that another instance is registering at the moment.
      for (let tries = 0; tries < 20; tries += 1) {
        const error: unknown = await registry.prepare(noSignal).catch((reason: unknown) => reason);
        if (error === undefined) break;
        expect(error).toMatchObject({ code: 'registry.unavailable', disposition: 'retry' });
      }
      return roles.map((role) => registry.encoder.schemaId(role));
    };
    const [first, ...others] = await Promise.all([start(), start(), start(), start()]);
    expect(others).toEqual([first, first, first]);
  });

  test('keeps another compatibility level that was set before the first schema', async () => {
    await fetch(`${world.url}/config/${world.subjectOf('users')}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ compatibility: 'BACKWARD' }),
    });

    await world.openReady({ roles: ['users'] });

    expect(await world.get(`/config/${world.subjectOf('users')}`)).toEqual({
      compatibilityLevel: 'BACKWARD',
    });
  });

  test('yields the same bytes as the registry client, which can decode them', async () => {
    const { encoder } = await world.openReady({ roles: ['users'] });
    const value = {
      ...user,
      page_id: null,
      ig_id: '17',
      biography: 'Café'.repeat(1000),
      followers_count: 9_007_199_254_740_990,
      follows_count: 0,
      media_count: -1,
      name: '',
      profile_picture_url: null,
      username: 'u',
      website: null,
      has_profile_pic: true,
      is_published: null,
    };
    const client = new SchemaRegistry({ host: world.url });

    const bytes = encoder.encode('users', value);

    expect(bytes).toEqual(await client.encode(encoder.schemaId('users'), value));
    expect({ ...((await client.decode(bytes)) as object) }).toEqual(value);
  });
});

describe('incompatible schema in the registry', () => {
  test('stops the process and names subject, fields and next step', async () => {
    await world.openReady({ roles: ['stories'] });
    await world.register('users', {
      type: 'record',
      namespace: 'instagram',
      name: 'User',
      fields: [
        { name: 'followers', type: 'long' },
        { name: 'id', type: 'long' },
        { name: 'business_account_id', type: 'string' },
        { name: 'polled_at', type: 'long' },
      ],
    });
    await fetch(`${world.url}/config/${world.subjectOf('users')}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ compatibility: 'FULL_TRANSITIVE' }),
    });

    const error = await refusal(world.openReady({ roles: ['users', 'media'] }));

    expect(error).toMatchObject({
      disposition: 'stop-process',
      code: 'registry.incompatible',
      exitCode: 3,
    });
    expect(error.message).toContain(`subject "${world.subjectOf('users')}"`);
    expect(error.message).toContain('not compatible with writer type');
    expect(error.message).toContain(
      '"id" (was long, is string), "followers" (gone, had no default)',
    );
    expect(error.message).toContain('KAFKA_TOPIC_TEMPLATE');
    // Nothing was registered, not even the other subject (Invariant 6).
    expect(await world.listSubjects()).toEqual([
      world.subjectOf('stories'),
      world.subjectOf('users'),
    ]);
    expect(await world.get(`/subjects/${world.subjectOf('users')}/versions`)).toEqual([1]);
  });
});

describe('registry mode verify', () => {
  test('stops the process, names the missing subject and registers nothing', async () => {
    await world.openReady({ roles: ['users'] });

    const error = await refusal(world.openReady({ roles: ['users', 'media'], mode: 'verify' }));

    expect(error).toMatchObject({ code: 'registry.missing', exitCode: 3 });
    expect(error.message).toContain(`subject "${world.subjectOf('media')}"`);
    expect(await world.listSubjects()).toEqual([world.subjectOf('users')]);
  });

  test('uses the id of a schema that was registered by hand with another text', async () => {
    const schema = JSON.parse(readSchema('users').text) as Readonly<Record<string, Json>>;
    expect(await world.register('users', { ...schema, doc: 'Registered by hand.' })).toBe(200);
    const latest = await world.get(`/subjects/${world.subjectOf('users')}/versions/latest`);

    const { encoder } = await world.openReady({ roles: ['users'], mode: 'verify' });

    expect(latest).toMatchObject({ id: encoder.schemaId('users') });
  });

  test('uses the ids that another instance registered', async () => {
    const first = await world.openReady({ roles });

    const second = await world.openReady({ roles, mode: 'verify' });

    expect(second.encoder.encode('users', user)).toEqual(first.encoder.encode('users', user));
  });
});

describe('unreachable registry', () => {
  test('is a retryable error, and the next preparation succeeds when the registry is back', async () => {
    await using gate = await openGate(world.url);
    const { url } = gate;
    const registry = world.open({
      url,
      login: { kind: 'basic', username: 'me', password: () => 'hush' },
    });
    await gate.shut();

    const error = await refusal(registry.prepare(noSignal));
    await gate.reopen();
    await registry.prepare(noSignal);

    expect(error).toMatchObject({ disposition: 'retry', code: 'registry.unavailable' });
    expect(error.message).toContain(url);
    expect(error.message).not.toMatch(/hush/);
    expect(registry.encoder.encode('users', user).subarray(5, 7).toString('hex')).toBe('0231');
  });
});
