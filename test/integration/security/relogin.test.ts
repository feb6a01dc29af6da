import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readTopic } from '../../support/topic-reader.ts';
import { readDocumented, setAcls, topicReadsBy, type Acl } from './acls.ts';
import {
  oauthLogin,
  passwordLogin,
  sessionMs,
  startSecuredWorld,
  whileOpen,
  type SecuredWorld,
} from './secured-world.ts';

let world: SecuredWorld;
let documented: readonly Acl[] = [];

beforeAll(async () => {
  world = await startSecuredWorld();
  documented = await readDocumented();
}, 90_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Publishes as the program does, for longer than three sessions, and returns the readable records. */
async function publishFor(
  mechanism: string,
  login: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const name = mechanism.toLowerCase();
  const env = world.env({
    ...login,
    KAFKA_BROKERS: world.broker.listeners['RELOGIN'] ?? '',
    KAFKA_TOPIC_TEMPLATE: `instagram.relogin-${name}.{stream}`,
    KAFKA_TRANSACTIONAL_ID_PREFIX: `instagram-kafka-producer-${name}`,
  });
  await whileOpen(env, async (publish) => {
    // The last record is sent long after the session of the earlier ones.
    const pausesMs = [0, 1000, 1000, 1000, 1000, 1000, 1000, 2 * sessionMs];
    for (const [index, pauseMs] of pausesMs.entries()) {
      await sleep(pauseMs);
      await publish(index + 1);
    }
  });
  const records = await readTopic([world.broker.address], `instagram.relogin-${name}.media`);
  return records.map(({ key }) => key);
}

test('Kafka connections log in again before a session of a few seconds expires, in use and idle', async () => {
  const logins = {
    'SCRAM-SHA-512': passwordLogin('SCRAM-SHA-512'),
    OAUTHBEARER: oauthLogin(world.tokens.url),
  };
  const states = Object.keys(logins).flatMap((name) =>
    topicReadsBy(`instagram.relogin-${name.toLowerCase()}`),
  );
  await setAcls(world.admin, [...documented, ...states]);

  const read = await Promise.all(
    Object.entries(logins).map(([mechanism, login]) => publishFor(mechanism, login)),
  );

  const all = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `media-${number}`);
  expect(read).toEqual([all, all]);
}, 60_000);
