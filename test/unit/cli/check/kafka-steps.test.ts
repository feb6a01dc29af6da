import { describe, expect, test } from '@jest/globals';
import { kafkaSteps } from '../../../../src/cli/check/kafka-steps.ts';
import { loadConfig } from '../../../../src/config/load.ts';
import type { KafkaAdapter, KafkaProbe } from '../../../../src/kafka/index.ts';
import { noSignal } from '../../../support/registry-options.ts';

type Reachable = Pick<KafkaProbe, 'reach' | 'version'>;

/** The findings of `kafka.brokers` for a cluster of one broker. */
async function findings(broker: Partial<Reachable>) {
  const probe: Reachable & Pick<KafkaProbe, 'cluster'> = {
    cluster: () => Promise.resolve([{ host: 'a', port: 1 }]),
    reach: () => Promise.resolve(),
    version: () => Promise.resolve('4.1'),
    ...broker,
  };
  const kafka = { probe } as unknown as KafkaAdapter;
  const env = {
    INSTAGRAM_ACCESS_TOKEN: 'token',
    KAFKA_BROKERS: 'a:1',
    SCHEMA_REGISTRY_URL: 'http://a:2',
  };
  const config = loadConfig({ env, args: {} });
  const accountIds = () => Promise.resolve([]);
  const steps = kafkaSteps({ config, kafka, stateKafka: kafka, nowMs: Date.now, accountIds });
  return await steps.find(({ id }) => id === 'kafka.brokers')?.run(noSignal);
}

describe('check: kafka.brokers', () => {
  test('reports the release of a broker', async () => {
    expect(await findings({})).toEqual([
      { status: 'ok', subject: 'a:1', detail: 'can be connected to; Kafka 4.1' },
    ]);
  });

  test.each<[string, KafkaProbe['version']]>([
    ['the versions are those of no release', () => Promise.resolve(null)],
    ['the request for the version fails', () => Promise.reject(new Error('no answer'))],
  ])('passes with an unknown version when %s', async (_, version) => {
    expect(await findings({ version })).toEqual([
      { status: 'ok', subject: 'a:1', detail: 'can be connected to; version unknown' },
    ]);
  });

  test('warns about a broker before the oldest supported release', async () => {
    expect(await findings({ version: () => Promise.resolve('2.8 or earlier') })).toEqual([
      {
        status: 'warning',
        subject: 'a:1',
        detail: 'can be connected to; Kafka 2.8 or earlier',
        action: expect.stringMatching(/^Upgrade it to Kafka 3.0 or later\./),
      },
    ]);
  });

  test('fails for an unreachable broker', async () => {
    const reach = () => Promise.reject(new Error('refused'));

    expect(await findings({ reach })).toMatchObject([{ status: 'failed', detail: 'refused' }]);
  });
});
