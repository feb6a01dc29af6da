import type { Consumer, ConsumerGroupJoinEvent, RequestEvent, GroupDescription } from 'kafkajs';
import { StopProcessError, isClassifiedError } from '../../engine/errors.ts';
import { topicName } from '../../engine/stream-name.ts';
import type { Group, OnAssignment } from '../../engine/ports.ts';
import { openConnection, type Connection } from '../client/connection.ts';
import { DeadlineError, pause, unlessAborted, withDeadline } from '../client/deadline.ts';
import { settled } from '../../engine/shutdown.ts';
import { translate } from '../client/errors.ts';
import { createAssignor, readMemberMetadata } from './assignor.ts';
import { createOwnership, type Ownership, createLease } from './ownership.ts';
import type { KafkaBase, KafkaShared } from '../shared.ts';
import { needsOf } from '../client/acls.ts';
import { asAdmin } from '../client/admin-call.ts';
import { AssignerProtocol } from '../client/kafkajs.ts';
import type { KafkaOptions } from '../options.ts';

/** The membership of the consumer group, with the queries of the partition producers. */
export interface GroupMembership extends Group, Pick<KafkaShared, 'owns' | 'onFenced'> {
  /**
   * Acquires a temporary assignment of these partitions while `task` runs. Their owners give them
   * up as in any rebalance, get them back afterwards, and read their states again.
   * @returns the result of `task`; `not-handed-over` when the partitions are not assigned in time,
   * because the group leader's version lacks temporary assignments or Kafka is slow
   * @throws StopProcessError `kafka.unauthorized`; errors of `task`
   */
  withTemporaryAssignment<T>(
    partitions: readonly number[],
    task: () => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | 'not-handed-over'>;
}

const pausesMs = [100, 500, 1000, 2000, 5000];
/** Period of the fetch loop, in which kafkajs sends its heartbeats. */
const loopMs = 200;

/** Creates the membership, which connects in `join`. */
export function createGroup(shared: KafkaBase): GroupMembership {
  let ownership: Ownership | undefined;
  const join = (onAssignment: OnAssignment, signal: AbortSignal, temporary?: readonly number[]) => {
    ownership = openOwnership(shared, onAssignment);
    return keepMembership(shared, { ownership, temporary }, signal);
  };
  return {
    get partitions() {
      return shared.layout().statePartitions;
    },
    // Before a group is joined, every partition may be published to.
    owns: (partition) => ownership?.owned().includes(partition) ?? true,
    onFenced(partition, reason) {
      ownership?.onFenced(partition, reason);
    },
    async members(signal) {
      return (await findMembers(shared, signal)).map(({ name }) => name);
    },
    async owners(signal) {
      const members = await findMembers(shared, signal);
      return new Map(
        members.flatMap(({ name, owned }) => owned.map((one) => [one, name] as const)),
      );
    },
    join: (onAssignment, signal) => join(onAssignment, signal),
    async withTemporaryAssignment(partitions, task, signal) {
      const leave = new AbortController();
      const assigned = Promise.withResolvers<undefined>();
      const onAssignment = (owned: readonly number[]): void => {
        if (partitions.every((one) => owned.includes(one))) assigned.resolve(undefined);
      };
      const membership = join(onAssignment, AbortSignal.any([signal, leave.signal]), partitions);
      // A rebalance, and the group's first join, which brokers delay for seconds.
      const { rebalanceTimeoutMs, sessionTimeoutMs } = shared.options.group;
      const limitMs = rebalanceTimeoutMs + sessionTimeoutMs;
      const over = Promise.race([assigned.promise, membership]);
      const handedOver = withDeadline(over, limitMs, 'a hand-over');
      try {
        if (!(await isHandedOver(unlessAborted(handedOver, signal)))) return 'not-handed-over';
        return await task();
      } finally {
        leave.abort();
        await membership.catch(() => undefined);
        ownership = undefined;
      }
    },
  };
}

async function isHandedOver(handOver: Promise<unknown>): Promise<boolean> {
  try {
    await handOver;
    return true;
  } catch (error) {
    // A group of other programs rejects a member with another assignment protocol.
    const isForeignGroup = error instanceof StopProcessError && error.code === 'config.invalid';
    if (isForeignGroup || error instanceof DeadlineError) return false;
    throw error;
  }
}

/** The properties that successive joins of the group share. */
interface JoinOptions {
  readonly ownership: Ownership;
  /** Partitions of a temporary assignment; undefined for a polling instance. */
  readonly temporary: readonly number[] | undefined;
}

/** The part of Kafka's health that is down while the group is. */
const healthPart = 'group';

function isUnavailable(error: Error): boolean {
  return isClassifiedError(error) && error.code === 'kafka.unavailable';
}

/** Keeps the membership until aborted; rejects earlier only with an error that waiting does not fix. */
async function keepMembership(
  shared: KafkaBase,
  membership: JoinOptions,
  signal: AbortSignal,
): Promise<void> {
  const { telemetry } = shared.dependencies;
  try {
    for (let attempt = 0; ; attempt += 1) {
      const error = await joinOnce(shared, membership, signal);
      if (signal.aborted) return;
      if (error instanceof StopProcessError) throw error;
      const reason = error.message;
      telemetry.report({ type: 'dependency', name: 'group', ready: false, reason });
      // The release of lost partitions removes their parts from the health: without one of the group
      // Kafka would be reported as ready.
      if (isUnavailable(error)) shared.health.down(healthPart, reason);
      await pause(pausesMs[Math.min(attempt, pausesMs.length - 1)] ?? 0, signal);
    }
  } finally {
    membership.ownership.leave();
    shared.health.up(healthPart);
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
        if (event.type !== 'assignment') return;
        const ready = event.cause !== 'missed-heartbeats';
        const reason = ready ? '' : 'this instance missed its heartbeats; joining the group again';
        telemetry.report({ type: 'dependency', name: 'group', ready, reason });
        if (ready) shared.health.up(healthPart);
      },
    },
    onAssignment,
  });
}

/** Joins the group once, with a client of its own; returns the error that ended the membership. */
async function joinOnce(
  shared: KafkaBase,
  membership: JoinOptions,
  signal: AbortSignal,
): Promise<Error> {
  const connection = openConnection(shared.options, shared.dependencies);
  const over = Promise.withResolvers<never>();
  const { group, sendDeadlineMs } = shared.options;
  // A membership may lack confirmation as long as joining may take. When a rejoin fails, kafkajs silently
  // continues to fetch without being a member: it sends no heartbeats and never joins.
  const limitMs = group.sessionTimeoutMs + group.rebalanceTimeoutMs + sendDeadlineMs;
  using watchdog = createLease(limitMs, () => {
    over.reject(new DeadlineError(`nothing was heard of the group for ${limitMs} ms`));
  });
  watchdog.renew(0);
  const onConfirmed = (): void => {
    watchdog.renew(0);
  };
  const active = { ...membership, fail: over.reject, onConfirmed };
  const consumer = openConsumer(shared, connection, active);
  const running = run(consumer, shared.layout().topic('state').name);
  running.catch(over.reject);
  try {
    return await unlessAborted(over.promise, signal);
  } catch (error) {
    const { options } = shared;
    const id = groupIdOf(options);
    const translated = translate(error, {
      options,
      doing: `taking part in the group ${id}`,
      needs: needsOf.group(id, topicName(options.topicTemplate, 'state')),
      lastBrokerError: connection.lastBrokerError(),
    });
    return translated instanceof Error ? translated : new Error(String(translated));
  } finally {
    const { shutdown } = shared.dependencies;
    // A joining member cannot leave yet, and a member that disconnects without leaving delays the
    // rebalance until its session times out.
    await settled(running, shutdown.leftMs('joining'));
    await settled(consumer.disconnect(), shutdown.leftMs('leaving'));
    connection.destroy();
  }
}

interface ActiveMembership extends JoinOptions {
  readonly fail: (error: Error) => void;
  /** Called whenever the coordinator confirms the membership. */
  readonly onConfirmed: () => void;
}

function openConsumer(
  shared: KafkaBase,
  connection: Connection,
  active: ActiveMembership,
): Consumer {
  const { options } = shared;
  const { sessionTimeoutMs, heartbeatMs, rebalanceTimeoutMs } = options.group;
  const topic = shared.layout().topic('state').name;
  const { statePartitions } = shared.layout();
  const metadata = () => ({
    instance: options.instance,
    partitions: statePartitions,
    owned: active.ownership.owned(),
    ...(active.temporary === undefined ? {} : { temporary: active.temporary }),
  });
  const checkCount = (found: number): void => {
    if (found === statePartitions) return;
    const message =
      `${topic} has ${found} partitions, and had ${statePartitions} when this instance started: ` +
      'accounts would be mapped to other partitions than their states. Restart all instances: the ' +
      'start names the command that moves the states.';
    active.fail(new StopProcessError('kafka.topic-invalid', message, { exitCode: 3 }));
  };
  const consumer = connection.kafka.consumer({
    groupId: groupIdOf(options),
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    heartbeatInterval: heartbeatMs,
    partitionAssigners: [createAssignor(topic, metadata, checkCount)],
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: Math.min(loopMs, Math.ceil(heartbeatMs / 2)),
    retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
  });
  listen(consumer, topic, active);
  return consumer;
}

function listen(
  consumer: Consumer,
  topic: string,
  { ownership, fail, onConfirmed }: ActiveMembership,
): void {
  // Age of the request that the next event answers, by API name.
  const sentAgoMs = new Map<string, number>();
  consumer.on('consumer.network.request', ({ payload }: RequestEvent) => {
    sentAgoMs.set(payload.apiName, payload.duration);
  });
  consumer.on('consumer.group_join', ({ payload }: ConsumerGroupJoinEvent) => {
    const partitionsOfTopic = payload.memberAssignment[topic] ?? [];
    const partitions = partitionsOfTopic.toSorted((left, right) => left - right);
    // The group only assigns partitions; the state reader reads the topic.
    consumer.pause([{ topic }]);
    onConfirmed();
    ownership.onJoin({ memberId: payload.memberId, partitions }, sentAgoMs.get('SyncGroup') ?? 0);
  });
  consumer.on('consumer.heartbeat', () => {
    onConfirmed();
    ownership.onHeartbeat(sentAgoMs.get('Heartbeat') ?? 0);
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

/** A running instance of the program and a state partition whose accounts it polls. */
export interface Owner {
  readonly partition: number;
  /** The instance's client id and address, for display. */
  readonly name: string;
}

/** Returns the id of the consumer group of all instances with one prefix. */
function groupIdOf({ transactionalIdPrefix }: KafkaOptions): string {
  return `${transactionalIdPrefix}-instances`;
}

/** @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized` */
async function describeGroup(
  shared: KafkaBase,
  limits: { readonly signal?: AbortSignal; readonly limitMs?: number } = {},
): Promise<readonly GroupDescription[]> {
  const id = groupIdOf(shared.options);
  const operation = { doing: `describing the consumer group ${id}`, needs: needsOf.group(id) };
  const request = { ...operation, ...limits };
  return (await asAdmin(shared, (admin) => admin.describeGroups([id]), request)).groups;
}

/** Returns the partitions of a topic in a member's assignment. */
function partitionsOf(assignment: Buffer, topic: string): readonly number[] {
  // Empty for a member that has joined and has no assignment yet.
  if (assignment.length === 0) return [];
  return AssignerProtocol.MemberAssignment.decode(assignment)?.assignment[topic] ?? [];
}

/** Returns the owners in a group; during a rebalance every member may own every partition. */
export function ownersIn(group: GroupDescription, topic: string, all: readonly number[]): Owner[] {
  const isStable = group.state === 'Stable';
  return group.members.flatMap(({ clientId, clientHost, memberAssignment }) => {
    const owned = isStable ? partitionsOf(memberAssignment, topic) : all;
    return owned.map((partition) => ({ partition, name: `${clientId} at ${clientHost}` }));
  });
}

/** Reads the current owner of each state partition. */
export async function findOwners(shared: KafkaBase): Promise<readonly Owner[]> {
  const layout = shared.layout();
  const groups = await describeGroup(shared);
  const { name } = layout.topic('state');
  return groups.flatMap((group) => ownersIn(group, name, layout.partitions));
}

/** Reads the members of the group and their partitions; the name is an instance and its address. */
async function findMembers(shared: KafkaBase, signal: AbortSignal) {
  const topic = shared.layout().topic('state').name;
  const groups = await describeGroup(shared, { signal, limitMs: 10_000 });
  return groups
    .flatMap(({ members }) => members)
    .map(({ memberMetadata, memberAssignment, memberId, clientHost }) => {
      const instance = readMemberMetadata(memberMetadata, topic)?.instance ?? memberId;
      return {
        name: `${instance} (${clientHost.replace(/^\//, '')})`,
        owned: partitionsOf(memberAssignment, topic),
      };
    });
}
