import { randomUUID } from 'node:crypto';
import { AssignerProtocol, Kafka, logLevel } from 'kafkajs';
import type { Cluster } from '../../../sandbox/cluster/start.ts';
import { type DecodedRecord, readTopics } from '../../../sandbox/topics.ts';
import { type Finished, runCommand } from '../../support/command.ts';
import { type ReadRecord, readTopic } from '../../support/topic-reader.ts';

/** The partitions of these accounts are 2, 0 and 1 of three. */
export const accounts = ['17841400000000003', '17841400000000004', '17841400000000005'] as const;

/** A state topic for one test, and the commands on it. */
export interface Installation {
  readonly id: string;
  readonly topic: string;
  readonly run: (
    args: readonly string[],
    given?: { readonly input?: string; readonly env?: Readonly<Record<string, string>> },
  ) => Promise<Finished>;
  /** Every record that a `read_committed` consumer sees, decoded. */
  readonly records: () => Promise<readonly DecodedRecord[]>;
  /** The same records with their partitions. */
  readonly placed: () => Promise<readonly ReadRecord[]>;
}

/** An installation without states. */
export function install(cluster: Cluster): Installation {
  const id = `cli-${randomUUID().slice(0, 8)}`;
  const topic = `${id}.state`;
  const ours = {
    KAFKA_BROKERS: cluster.brokers.join(','),
    KAFKA_TOPIC_TEMPLATE: `${id}.{stream}`,
    KAFKA_TRANSACTIONAL_ID_PREFIX: id,
    KAFKA_TOPICS_STATE_PARTITIONS: '3',
    SCHEMA_REGISTRY_URL: cluster.registryUrl,
    POLLING_INSTANCE: 'desk',
  };
  return {
    id,
    topic,
    run: (args, { env = {}, ...given } = {}) =>
      runCommand(['state', ...args], { env: { ...ours, ...env }, ...given }),
    records: async () => {
      const at = { brokers: cluster.brokers, registryUrl: cluster.registryUrl };
      return (await readTopics(at, [topic])).get(topic) ?? [];
    },
    placed: () => readTopic(cluster.brokers, topic),
  };
}

/** An installation whose topic holds a cursor of each account. */
export async function installed(cluster: Cluster): Promise<Installation> {
  const installation = install(cluster);
  const date = '2026-06-10T07:00:00+00:00';
  const input = JSON.stringify(Object.fromEntries(accounts.map((id) => [id, { date }])));
  const { exitCode, stderr } = await installation.run(['import', '-', '--apply'], { input });
  if (exitCode !== 0) throw new Error(`the import failed: ${stderr}`);
  return installation;
}

/** A client without log output. */
export function openClient(cluster: Cluster, clientId = 'test'): Kafka {
  return new Kafka({ clientId, brokers: [...cluster.brokers], logLevel: logLevel.NOTHING });
}

/** A group member that owns one partition, as an instance of the program does. */
export async function joinGroup(
  cluster: Cluster,
  group: { readonly id: string; readonly topic: string; readonly partition: number },
): Promise<AsyncDisposable> {
  const { id, topic, partition } = group;
  const consumer = openClient(cluster, 'an-instance').consumer({
    groupId: id,
    partitionAssigners: [
      () => ({
        name: 'one',
        version: 1,
        protocol: ({ topics }) => ({
          name: 'one',
          metadata: AssignerProtocol.MemberMetadata.encode({
            version: 1,
            topics,
            userData: Buffer.alloc(0),
          }),
        }),
        assign: ({ members }) =>
          Promise.resolve(
            members.map(({ memberId }) => ({
              memberId,
              memberAssignment: AssignerProtocol.MemberAssignment.encode({
                version: 1,
                assignment: { [topic]: [partition] },
                userData: Buffer.alloc(0),
              }),
            })),
          ),
      }),
    ],
  });
  const joined = Promise.withResolvers<undefined>();
  consumer.on('consumer.group_join', () => {
    joined.resolve(undefined);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic] });
  await consumer.run({ eachBatch: () => Promise.resolve() });
  await joined.promise;
  return { [Symbol.asyncDispose]: () => consumer.disconnect() };
}
