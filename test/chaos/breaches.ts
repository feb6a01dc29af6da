import type { Patch } from './broken-build.ts';

/** A producer is used again after a failed produce request, as kafkajs permits. */
export const keptProducer: readonly Patch[] = [
  {
    file: 'kafka/producer/transaction.ts',
    find: 'maxRetryTime: 1000, retries: 40 },',
    // kafkajs gives up before our own deadline does.
    replace: 'maxRetryTime: 1000, retries: 1 },',
  },
  {
    file: 'kafka/producer/transaction.ts',
    find: '      ended = true;',
    replace: `      if (abort && transaction?.isActive() === true) await settled(transaction.abort(), options.discardLimitMs());
      transaction = undefined;
      return true;`,
  },
  {
    file: 'kafka/producer/partition-producer.ts',
    find: `    const producer = this.#producer;
    this.#producer = undefined;`,
    replace: '    const producer = this.#producer;',
  },
];

/** The state has a transaction of its own, before that of its records. */
export const stateFirst: readonly Patch[] = [
  {
    file: 'kafka/producer/partition-producer.ts',
    find: `producer.transact(requests, () => {
      commit.sent = true;`,
    replace: `apart(producer, this.#deps, batch)(() => {
      commit.sent = true;`,
  },
  {
    file: 'kafka/producer/partition-producer.ts',
    find: 'export class PartitionProducer {',
    replace: `const apart = (producer, { plan }, { records, state }) => async (onCommit) => {
  await producer.transact(plan([state], 'topic'), () => undefined);
  await producer.transact(plan(records.filter((record) => record !== state), 'topic'), onCommit);
};
export class PartitionProducer {`,
  },
];

/** A read of the state ends where the broker that answered says that it has no more. */
export const offsetLagEnd: readonly Patch[] = [
  {
    file: 'kafka/state/topic-reader.ts',
    find: 'if (BigInt(payload.lastOffset) >= end - 1n)',
    replace: "if (payload.offsetLag === '0' || BigInt(payload.lastOffset) >= end - 1n)",
  },
];

/** A state is written over whatever the topic has by now. */
export const blindWrite: readonly Patch[] = [
  {
    file: 'kafka/producer/partition-producer.ts',
    find: 'if (await batch.isPrevious(found)) return false;',
    replace: 'return false;',
  },
];
