import { hostname } from 'node:os';
import type { Config } from '../../config/config.ts';
import { StopProcessError } from '../../engine/errors.ts';
import type { StreamState } from '../../engine/state.ts';
import { topicName, type TopicRole } from '../../engine/stream-name.ts';
import type { KafkaAdapter, Owner, StateWrite, StoredState } from '../../kafka/index.ts';
import { openStateForm, type StateForm, type ValueReader } from '../../registry/index.ts';
import { type ConfigArguments, loadCommandConfig } from '../context.ts';
import { openQuietly } from '../open-quietly.ts';
import { listenForStop } from '../stop-signals.ts';
import { parseAccount, parseStateKey, parseStream } from './state-change.ts';

/** The state topic, opened for a command. */
export interface StateSession extends AsyncDisposable {
  readonly config: Config;
  readonly topic: string;
  /** False when the topic is missing and must not be created; everything is empty then. */
  readonly exists: boolean;
  readonly form: StateForm;
  readonly instance: string;
  /** States as stored in the topic, one per key and partition. */
  readonly stored: readonly StoredState[];
  readonly partitions: number;
  /** The topics of streams that the command reads, and their schemas. */
  readonly kafka: KafkaAdapter;
  readonly values: ValueReader;
  readonly signal: AbortSignal;
  owners(): Promise<readonly Owner[]>;
  write(writes: readonly StateWrite[]): Promise<void>;
  /**
   * Runs `task` while the running instances have handed these partitions over, with the states that
   * the topic has by then. The instances resume from the written states.
   * @returns `not-handed-over`, with nothing done, when their owners kept the partitions
   */
  duringHandOver<T>(
    partitions: readonly number[],
    task: (session: StateSession) => Promise<T>,
  ): Promise<T | 'not-handed-over'>;
}

/** Connects and reads the state topic, without an effect on running instances. */
export async function openStateSession(
  settings: ConfigArguments,
  missing: 'fail' | 'empty' | 'create',
  others: readonly TopicRole[] = [],
): Promise<StateSession> {
  const config = loadCommandConfig(settings, ['kafka', 'registry']);
  await using stack = new AsyncDisposableStack();
  const { signal } = stack.use(listenForStop(config.polling.shutdownGraceMs));
  const topics = missing === 'create' ? 'create' : 'look';
  const { registry, kafka } = openQuietly(
    stack,
    config,
    { roles: ['state'], topics, others },
    signal,
  );
  const { stateAdmin } = kafka;
  const exists = missing !== 'empty' || (await stateAdmin.exists());
  if (exists) await kafka.prepareTopics(signal);
  const stored = exists ? await stateAdmin.read(signal) : [];
  const owned = stack.move();
  const session: StateSession = {
    config,
    topic: topicName(config.kafka.topicTemplate, 'state'),
    exists,
    form: openStateForm(),
    instance: config.polling.instance ?? hostname(),
    stored,
    // A topic with another number of partitions is rejected.
    partitions: config.kafka.topics.statePartitions,
    kafka,
    values: registry.values,
    signal,
    owners: () => (exists ? stateAdmin.owners() : Promise.resolve([])),
    async write(writes) {
      await registry.prepare(signal);
      await stateAdmin.write(writes, signal);
    },
    duringHandOver(partitions, task) {
      const onFresh = async () => task({ ...session, stored: await stateAdmin.read(signal) });
      return kafka.group.withTemporaryAssignment(partitions, onFresh, signal);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return session;
}

/** Returns a stored state as far as it can be read, and the reason why it cannot. */
export function contentOf({ restored }: StoredState) {
  return restored.kind === 'state'
    ? { state: restored.state, unreadable: null }
    : { state: null, unreadable: restored.error.message };
}

/**
 * Returns a key's readable state; if several partitions have one, that with the highest sequence.
 */
export function stateOf(session: StateSession, key: string): StreamState | null {
  const states = session.stored.flatMap((one) =>
    one.key === key ? (contentOf(one).state ?? []) : [],
  );
  return states.toSorted((a, b) => b.sequence - a.sequence)[0] ?? null;
}

/**
 * Returns a key's states, one per partition. Also finds a key that this program has never written,
 * because it must be removable. @throws StopProcessError `state.invalid` when there is none
 */
export function storedUnder(session: StateSession, key: string): readonly StoredState[] {
  const found = session.stored.filter((one) => one.key === key);
  if (found.length > 0) return found;
  parseStateKey(key);
  return rejectUnknown(session, key);
}

/** Selection of states by stream and account; all without either. */
export interface StateFilter {
  readonly stream?: string | undefined;
  readonly account?: string | undefined;
}

/** @throws StopProcessError `state.invalid` for an unknown stream, an invalid account or no match */
export function select(session: StateSession, filter: StateFilter): readonly StoredState[] {
  const { stream, account } = filter;
  if (stream !== undefined) parseStream(stream);
  if (account !== undefined) parseAccount(account);
  const found = session.stored.filter(({ key }) => {
    const [ofStream, ofAccount] = key.split('/');
    return ofStream === (stream ?? ofStream) && ofAccount === (account ?? ofAccount);
  });
  const narrowed = stream !== undefined || account !== undefined;
  if (found.length === 0 && narrowed) rejectUnknown(session, `${stream ?? '*'}/${account ?? '*'}`);
  return found;
}

/** @throws StopProcessError `state.invalid`: no state has this name */
export function rejectUnknown(session: StateSession, name: string): never {
  const keys = [...new Set(session.stored.map(({ key }) => key))];
  const shown = keys.slice(0, 5).join(', ');
  const more = keys.length > 5 ? `, … (${keys.length} in all: state list)` : '';
  throw new StopProcessError(
    'state.invalid',
    `${session.topic} has no state of ${name}; it has ${keys.length === 0 ? 'none' : shown + more}.`,
    { exitCode: 2 },
  );
}
