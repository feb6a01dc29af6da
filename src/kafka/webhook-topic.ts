import type { Message, Producer } from 'kafkajs';
import { partitionOf } from '../engine/partition.ts';
import { settled } from '../engine/shutdown.ts';
import { inboxRole } from '../engine/webhooks.ts';
import { needsOf } from './client/acls.ts';
import { type Connection, openConnection } from './client/connection.ts';
import { unlessAborted, withDeadline } from './client/deadline.ts';
import { translate } from './client/errors.ts';
import type { KafkaBase } from './shared.ts';
import { type TailedRecord, tail } from './tail.ts';

/** A record of the inbox topic; a null value is the tombstone of a processed change. */
export interface InboxRecord {
  readonly key: string;
  readonly value: Buffer | null;
}

/**
 * The inbox topic of webhooks. Receivers append to it outside of transactions, because any instance
 * may receive; the partition producer of an account removes its changes in the transaction that
 * publishes them.
 */
export interface WebhookTopic extends AsyncDisposable {
  /**
   * Appends records; resolves when all in-sync replicas have them.
   * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
   */
  append(records: readonly InboxRecord[], signal: AbortSignal): Promise<void>;
  /** Passes on all records from the beginning, and later ones, until aborted. Throws as `append`. */
  follow(reader: InboxReader, signal: AbortSignal): Promise<void>;
}

/** The reader of the inbox topic's committed records. */
export interface InboxReader {
  readonly take: (record: InboxRecord) => void;
  /** Called once the records that the topic had at the beginning are taken. */
  readonly onCurrent: () => void;
}

interface OpenProducer {
  readonly connection: Connection;
  readonly producer: Producer;
}

/** Opens the topic, which the preparation of the topics has created. It connects on demand. */
export function openWebhookTopic(base: KafkaBase): WebhookTopic {
  const producer = createInboxProducer(base);
  return {
    append: producer.append,
    async follow({ take, onCurrent }, signal) {
      const { name } = base.layout().topic(inboxRole);
      const request = { topic: name, start: { kind: 'beginning' }, follow: true } as const;
      const takeRecord = ({ key, value }: TailedRecord): Promise<boolean> => {
        if (key !== null) take({ key: key.toString('utf8'), value });
        return Promise.resolve(true);
      };
      await tail(base, { ...request, take: takeRecord, onCurrent }, signal);
    },
    [Symbol.asyncDispose]: producer.close,
  };
}

/** Creates a producer that stays connected between appends; an error replaces it. */
function createInboxProducer(base: KafkaBase) {
  const { options } = base;
  let current: Promise<OpenProducer> | undefined;
  const discard = async (opening: Promise<OpenProducer>): Promise<void> => {
    if (current === opening) current = undefined;
    const open = await opening.catch(() => undefined);
    await settled(open?.producer.disconnect() ?? Promise.resolve(), 1000);
    open?.connection.destroy();
  };
  return {
    append: async (records: readonly InboxRecord[], signal: AbortSignal): Promise<void> => {
      const { name, leaders } = base.layout().topic(inboxRole);
      const doing = `writing to ${name}`;
      const messages = records.map(({ key, value }) => {
        return { key, value, partition: partitionOf(key, leaders.length) };
      });
      const opening = (current ??= openProducer(base));
      let connection: Connection | undefined;
      try {
        const sending = opening.then((open) => {
          connection = open.connection;
          return send(open, name, messages);
        });
        await unlessAborted(withDeadline(sending, options.sendDeadlineMs, doing), signal);
      } catch (error) {
        void discard(opening);
        signal.throwIfAborted();
        const needs = needsOf.publishing([name]);
        const lastBrokerError = connection?.lastBrokerError();
        throw translate(error, { options, doing, needs, lastBrokerError });
      }
    },
    close: async (): Promise<void> => {
      if (current !== undefined) await discard(current);
    },
  };
}

/** @throws errors of kafkajs, and an error when a partition has no leader */
async function send(
  { connection, producer }: OpenProducer,
  topic: string,
  messages: (Message & { readonly partition: number })[],
): Promise<void> {
  const timeout = connection.requestTimeoutMs;
  const acknowledged = await producer.send({ topic, acks: -1, timeout, messages });
  // kafkajs silently skips a partition without a leader.
  const written = new Set(acknowledged.map(({ partition }) => partition));
  if (messages.some(({ partition }) => !written.has(partition)))
    throw new Error(`A partition of ${topic} has no leader.`);
}

async function openProducer({ options, dependencies }: KafkaBase): Promise<OpenProducer> {
  const connection = openConnection(options, dependencies);
  // Each message has its partition. Without a partitioner, kafkajs logs a warning about its own.
  const createPartitioner =
    () =>
    ({ message }: { readonly message: Message }) =>
      message.partition ?? 0;
  const producer = connection.kafka.producer({ createPartitioner, allowAutoTopicCreation: false });
  try {
    await producer.connect();
    return { connection, producer };
  } catch (error) {
    connection.destroy();
    throw error;
  }
}
