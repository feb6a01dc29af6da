import { describe, expect, test } from '@jest/globals';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { type ProcessWorld, createProcessWorld } from './process-world.ts';

/** A world with a state, and its key. */
async function createPolledWorld() {
  const world = await createProcessWorld();
  await world.once();
  return { world, key: `media/${world.deployment.truth().accounts[0]?.id ?? ''}` };
}

/** Writes into the state topic as an operator with a tool would. */
async function write(
  { world, key }: Awaited<ReturnType<typeof createPolledWorld>>,
  value: Buffer | null,
): Promise<void> {
  const kafka = new Kafka({
    brokers: [...world.deployment.cluster.brokers],
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = [{ key, value, partition: 0 }];
  await producer.send({ topic: world.deployment.topicOf('state'), messages });
  await producer.disconnect();
}

async function lastState(world: ProcessWorld): Promise<Buffer> {
  const { bytes } = (await world.deployment.read('state')).at(-1) ?? {};
  if (bytes === undefined || bytes === null) throw new Error('no state');
  return bytes;
}

/** The state with another format version. */
function newer(state: Buffer): Buffer {
  const changed = Buffer.from(state);
  // Format 63 in Avro's zigzag encoding, one byte like the real one.
  changed[5] = 126;
  return changed;
}

describe('unreadable state', () => {
  test.concurrent.each([
    [
      'cut in the middle',
      'state.unreadable',
      (state: Buffer) => state.subarray(0, state.length >> 1),
    ],
    ['foreign data', 'state.unreadable', () => Buffer.from('{"cursor":1}')],
    ['of a newer format', 'state.unreadable', newer],
    ['of a schema that the registry does not know', 'registry.mismatch', withUnknownSchema],
  ])(
    'stops only its stream, names it and stays unchanged when it is %s',
    async (_what, error, spoil) => {
      const polled = await createPolledWorld();
      await using world = polled.world;
      const good = await lastState(world);
      const bad = spoil(good);
      await write(polled, bad);

      const { code, stderr } = await world.deployment.once({
        STREAMS: 'media,users',
        KAFKA_TOPICS_STATE_PARTITIONS: '1',
      });

      expect(code).toBe(3);
      expect(stderr).toContain(error);
      // An error of the registry concerns all states and names none.
      expect(stderr.includes(polled.key)).toBe(error === 'state.unreadable');
      expect(await world.deployment.read('users')).toHaveLength(1);
      expect(await world.deployment.read('media')).toHaveLength(12);

      await write(polled, good);
      await world.once();
      expect(await world.deployment.read('media')).toHaveLength(12);
    },
    120_000,
  );

  test.concurrent(
    'is replaced by a new first poll when a tombstone is written for its key',
    async () => {
      const polled = await createPolledWorld();
      await using world = polled.world;
      await write(polled, Buffer.from('nothing of ours'));
      await write(polled, null);
      await world.once();
      expect(await world.deployment.read('media')).toHaveLength(24);
    },
    120_000,
  );
});

describe('registry without the schemas of the states', () => {
  test.concurrent(
    'stops the start before a schema is registered when it has no subject of the state topic',
    async () => {
      const polled = await createPolledWorld();
      await using world = polled.world;
      const good = await lastState(world);
      await write(polled, withUnknownSchema(good));
      await deleteSubjects(world);

      const { code, stderr } = await world.deployment.once({
        STREAMS: 'media,users',
        KAFKA_TOPICS_STATE_PARTITIONS: '1',
      });

      expect(code).toBe(3);
      expect(stderr).toMatch(
        /registry\.mismatch: states cannot be read: the registry at \S+ knows no schema with id 2000000000/,
      );
      expect(await listSubjects(world)).toEqual([]);

      await write(polled, null);
      await world.once();
      expect(await listSubjects(world)).toHaveLength(3);
    },
    120_000,
  );
});

/** Returns the subjects of the world's topics that the registry has. */
async function listSubjects({ deployment }: ProcessWorld): Promise<readonly string[]> {
  const response = await fetch(`${deployment.cluster.registryUrl}/subjects`);
  const subjects = (await response.json()) as readonly string[];
  return subjects.filter((subject) => subject.startsWith(deployment.topicOf('')));
}

/** Deletes the subjects of the world for good, as a registry that lost its data has none. */
async function deleteSubjects(world: ProcessWorld): Promise<void> {
  for (const subject of await listSubjects(world)) {
    const url = `${world.deployment.cluster.registryUrl}/subjects/${subject}`;
    // A registry deletes for good only what was deleted before.
    for (const query of ['', '?permanent=true']) await fetch(url + query, { method: 'DELETE' });
  }
}

function withUnknownSchema(state: Buffer): Buffer {
  const changed = Buffer.from(state);
  changed.writeInt32BE(2_000_000_000, 1);
  return changed;
}
