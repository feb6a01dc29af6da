import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, ConsumerGroupJoinEvent, RequestEvent } from 'kafkajs';
import { StopProcessError } from '../../engine/errors.ts';
import { topicName } from '../../engine/stream-name.ts';
import type { Group, OnAssignment } from '../../engine/ports.ts';
import type { Need } from '../client/acls.ts';
import { openConnection, type Connection } from '../client/connection.ts';
import { DeadlineError, settleWithin, unlessAborted, withDeadline } from '../client/deadline.ts';
import { translate } from '../client/errors.ts';
import { createAssigner, readNote } from './assignor.ts';
import { createOwnership, type Ownership } from './ownership.ts';
import { createLease } from './lease.ts';
import type { KafkaOptions } from '../options.ts';
import { partitionsOf } from './owners.ts';
import type { KafkaBase } from '../shared.ts';

/** The group, and what the partition producers ask of it. */
export interface GroupMembership extends Group {
  /** Whether a partition may be published to; any may while no group was joined. */
  holds(partition: number): boolean;
  /** Another producer has taken a partition over. */
  fence(partition: number, reason: string): void;
  /**
   * Has the group hand these partitions over for the time of the work: their owners give them up as in
   * any change of the group, get them back afterwards, and read their states again.
   *
   * @returns what the work does, or `refused` when they are not handed over in time: an instance of a
   * version that does not know of this deals them out, or Kafka is slow
   * @throws StopProcessError `kafka.unauthorized`; what the work throws
   */
  borrow<T>(
    partitions: readonly number[],
    work: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | 'refused'>;
}

const askLimitMs = 10_000;
const pausesMs = [100, 500, 1000, 2000, 5000];
/** The fetch loop, in which kafkajs sends its heartbeats, goes round this often. */
const loopMs = 200;

/** The consumer group of the instances of one prefix. */
function groupIdOf({ transactionalIdPrefix }: KafkaOptions): string {
  return `${transactionalIdPrefix}-instances`;
}

/** Makes the membership; nothing connects before `join`. */
export function createGroup(shared: KafkaBase): GroupMembership {
  let ownership: Ownership | undefined;
  const stayIn = (onAssignment: OnAssignment, signal: AbortSignal, borrows?: readonly number[]) => {
    ownership = openOwnership(shared, onAssignment);
    return stay(shared, { ownership, borrows }, signal);
  };
  return {
    get partitions() {
      return shared.layout().statePartitions;
    },
    holds: (partition) => ownership?.owned().includes(partition) ?? true,
    fence(partition, reason) {
      ownership?.fence(partition, reason);
    },
    async members(signal) {
      return (await describeMembers(shared, signal)).map(({ name }) => name);
    },
    async ownerOf(partition, signal) {
      const members = await describeMembers(shared, signal);
      return members.find(({ owned }) => owned.includes(partition))?.name ?? null;
    },
    join: (onAssignment, signal) => stayIn(onAssignment, signal),
    async borrow(partitions, work, signal) {
      const leave = new AbortController();
      const given = Promise.withResolvers<undefined>();
      const onAssignment = (owned: readonly number[]): void => {
        if (partitions.every((one) => owned.includes(one))) given.resolve(undefined);
      };
      const staying = stayIn(onAssignment, AbortSignal.any([signal, leave.signal]), partitions);
      const handedOver = withDeadline(
        Promise.race([given.promise, staying]),
        borrowLimitMs(shared.options),
        'a hand-over',
      );
      try {
        if (!(await isHandedOver(unlessAborted(handedOver, signal)))) return 'refused';
        return await work();
      } finally {
        leave.abort();
        await staying.catch(() => undefined);
        ownership = undefined;
      }
    },
  };
}

async function isHandedOver(waiting: Promise<unknown>): Promise<boolean> {
  try {
    await waiting;
    return true;
  } catch (error) {
    // A group of other programs lets nobody in who deals out otherwise.
    const isStrange = error instanceof StopProcessError && error.code === 'config.invalid';
    if (isStrange || error instanceof DeadlineError) return false;
    throw error;
  }
}

/** As long as a rebalance may take, and the group's first join, which brokers hold back for seconds. */
function borrowLimitMs({ group }: KafkaOptions): number {
  return group.rebalanceTimeoutMs + group.sessionTimeoutMs;
}

/** What one stay after another has in common. */
interface Membership {
  readonly ownership: Ownership;
  /** Undefined for an instance, which takes what it is given. */
  readonly borrows: readonly number[] | undefined;
}

/** Is a member until aborted; ends before that only with what waiting does not mend. */
async function stay(shared: KafkaBase, membership: Membership, signal: AbortSignal): Promise<void> {
  const { telemetry } = shared.dependencies;
  try {
    for (let attempt = 0; ; attempt += 1) {
      const error = await takePart(shared, membership, signal);
      if (signal.aborted) return;
      if (error instanceof StopProcessError) throw error;
      const reason = error.message;
      telemetry.report({ type: 'dependency', name: 'group', ready: false, reason });
      await pause(pausesMs[Math.min(attempt, pausesMs.length - 1)] ?? 0, signal);
    }
  } finally {
    membership.ownership.leave();
  }
}

function openOwnership(shared: KafkaBase, onAssignment: OnAssignment): Ownership {
  const { telemetry } = shared.dependencies;
  return createOwnership({
    sessionTimeoutMs: shared.options.group.sessionTimeoutMs,
    partitions: () => shared.layout().statePartitions,
    telemetry: {
      report(event) {
        telemetry.report(event);
        if (event.type !== 'share') return;
        const ready = event.cause !== 'not-heard';
        const reason = ready ? '' : 'Kafka did not hear from this instance in time; joining again';
        telemetry.report({ type: 'dependency', name: 'group', ready, reason });
      },
    },
    onAssignment,
  });
}

/** One stay in the group, with a client of its own; ends with why it ended, or when aborted. */
async function takePart(
  shared: KafkaBase,
  { ownership, borrows }: Membership,
  signal: AbortSignal,
): Promise<Error> {
  const connection = openConnection(shared.options, shared.dependencies);
  const over = Promise.withResolvers<never>();
  const limitMs = silenceLimitMs(shared.options);
  using vigil = createLease(limitMs, () => {
    over.reject(new DeadlineError(`nothing was heard of the group for ${limitMs} ms`));
  });
  vigil.renew(0);
  const stay = {
    ownership,
    borrows,
    fail: over.reject,
    onSign: () => {
      vigil.renew(0);
    },
  };
  const consumer = openConsumer(shared, connection, stay);
  const running = run(consumer, shared.layout().topic('state').name);
  running.catch(over.reject);
  try {
    return await unlessAborted(over.promise, signal);
  } catch (error) {
    const known = translate(error, contextOf(shared, connection));
    return known instanceof Error ? known : new Error(String(known));
  } finally {
    const { shutdown } = shared.dependencies;
    // A member in the middle of joining cannot leave yet, and one that goes without a word holds up
    // the rebalance.
    await settleWithin(running, shutdown.leftMs('joining'));
    await settleWithin(consumer.disconnect(), shutdown.leftMs('leaving'));
    connection.destroy();
  }
}

interface Stay extends Membership {
  readonly fail: (error: Error) => void;
  /** Called at every sign of being a member. */
  readonly onSign: () => void;
}

/**
 * How long a stay may go on without a sign, which is as long as joining may take. When joining anew
 * fails, kafkajs goes on fetching as nobody: it neither beats nor joins any more, and says nothing.
 */
function silenceLimitMs({ group, sendDeadlineMs }: KafkaOptions): number {
  return group.sessionTimeoutMs + group.rebalanceTimeoutMs + sendDeadlineMs;
}

function openConsumer(shared: KafkaBase, connection: Connection, stay: Stay): Consumer {
  const { options } = shared;
  const { sessionTimeoutMs, heartbeatMs, rebalanceTimeoutMs } = options.group;
  const topic = shared.layout().topic('state').name;
  const { statePartitions } = shared.layout();
  const note = () => ({
    instance: options.instance,
    partitions: statePartitions,
    owned: stay.ownership.owned(),
    ...(stay.borrows === undefined ? {} : { borrows: stay.borrows }),
  });
  const checkCount = (found: number) => {
    if (found !== statePartitions) stay.fail(otherCount(topic, statePartitions, found));
  };
  const consumer = connection.kafka.consumer({
    groupId: groupIdOf(options),
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: heartbeatMs,
    partitionAssigners: [createAssigner(topic, note, checkCount)],
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: Math.min(loopMs, Math.ceil(heartbeatMs / 2)),
    retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
  });
  listen(consumer, topic, stay);
  return consumer;
}

function listen(consumer: Consumer, topic: string, { ownership, fail, onSign }: Stay): void {
  // How long ago the request was sent that the next event is the answer to.
  const sentAgoMs = new Map<string, number>();
  consumer.on('consumer.network.request', ({ payload }: RequestEvent) => {
    sentAgoMs.set(payload.apiName, payload.duration);
  });
  consumer.on('consumer.group_join', ({ payload }: ConsumerGroupJoinEvent) => {
    const given = payload.memberAssignment[topic] ?? [];
    const partitions = given.toSorted((left, right) => left - right);
    // The group is for its assignments; what the topic holds is read elsewhere.
    consumer.pause([{ topic }]);
    onSign();
    ownership.joined({ memberId: payload.memberId, partitions }, sentAgoMs.get('SyncGroup') ?? 0);
  });
  consumer.on('consumer.heartbeat', () => {
    onSign();
    ownership.heard(sentAgoMs.get('Heartbeat') ?? 0);
  });
  consumer.on('consumer.crash', ({ payload }) => {
    fail(payload.error);
  });
}

async function run(consumer: Consumer, topic: string): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() });
}

function otherCount(topic: string, expected: number, found: number): StopProcessError {
  return new StopProcessError(
    'kafka.topic-invalid',
    `${topic} has ${found} partitions, and had ${expected} when this instance started: accounts ` +
      'and their states would be looked for where they are not.',
    { exitCode: 3 },
  );
}

function contextOf({ options }: KafkaBase, connection: Connection) {
  const id = groupIdOf(options);
  return {
    options,
    doing: `taking part in the group ${id}`,
    needs: [
      { operation: 'Read', resource: 'group', name: id },
      { operation: 'Read', resource: 'topic', name: topicName(options.topicTemplate, 'state') },
    ] satisfies readonly Need[],
    lastRefusal: connection.lastRefusal(),
  };
}

/** A member of the group, and the partitions that it was given. */
interface Member {
  /** The instance's name and address, for a person. */
  readonly name: string;
  readonly owned: readonly number[];
}

async function describeMembers(shared: KafkaBase, signal: AbortSignal): Promise<readonly Member[]> {
  const connection = openConnection(shared.options, shared.dependencies);
  const admin = connection.kafka.admin();
  const topic = shared.layout().topic('state').name;
  const ask = async (): Promise<readonly Member[]> => {
    await admin.connect();
    const { groups } = await admin.describeGroups([groupIdOf(shared.options)]);
    return groups
      .flatMap(({ members }) => members)
      .map(({ memberMetadata, memberAssignment, memberId, clientHost }) => {
        const instance = readNote(memberMetadata, topic)?.instance ?? memberId;
        return {
          name: `${instance} (${clientHost.replace(/^\//, '')})`,
          owned: partitionsOf(memberAssignment, topic),
        };
      });
  };
  try {
    return await unlessAborted(withDeadline(ask(), askLimitMs, 'describing the group'), signal);
  } catch (error) {
    throw translate(error, contextOf(shared, connection));
  } finally {
    await settleWithin(admin.disconnect(), 1000);
    connection.destroy();
  }
}

async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
}
