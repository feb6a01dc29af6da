import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readTopic } from '../../support/topic-reader.ts';
import { readDocumented, setAcls, stateReadBy, type Acl } from './acls.ts';
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

describe('a login that counts for a few seconds', () => {
  test.each(['SCRAM-SHA-512', 'OAUTHBEARER'])(
    'by %s is made again on the connections that there are, in use or idle',
    async (mechanism) => {
      const login =
        mechanism === 'OAUTHBEARER' ? oauthLogin(world.tokens.url) : passwordLogin(mechanism);
      const topics = `instagram.relogin-${mechanism.toLowerCase()}`;
      await setAcls(world.admin, [...documented, ...stateReadBy(topics)]);
      const env = world.env({
        ...login,
        KAFKA_BROKERS: world.broker.listeners['RELOGIN'] ?? '',
        KAFKA_TOPIC_TEMPLATE: `${topics}.{stream}`,
      });
      await whileOpen(env, async (publish) => {
        // The last comes long after the session of those before it.
        const pausesMs = [0, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 2 * sessionMs];
        for (const [index, pauseMs] of pausesMs.entries()) {
          await sleep(pauseMs);
          await publish(index + 1);
        }
      });

      const records = await readTopic([world.broker.address], `${topics}.media`);
      expect(records.map(({ key }) => key)).toEqual(
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => `media-${number}`),
      );
    },
    60_000,
  );
});
