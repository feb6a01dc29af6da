import { hostname } from 'node:os';
import type { Config } from '../../config/config.ts';
import { StopProcessError } from '../../engine/errors.ts';
import { partitionOf } from '../../engine/partition.ts';
import type { StreamState } from '../../engine/state.ts';
import { topicName } from '../../engine/stream-name.ts';
import type { Owner, StateWrite, StoredState } from '../../kafka/index.ts';
import { openStateForm, type StateForm } from '../../registry/index.ts';
import { openQuietly } from '../quiet-adapters.ts';

/** The state topic, opened for a command. */
export interface StateSession extends AsyncDisposable {
  readonly topic: string;
  /** False when the topic is not there and nothing may be created; everything is empty then. */
  readonly exists: boolean;
  readonly form: StateForm;
  readonly instance: string;
  /** As it is in the topic, one a key and partition. */
  readonly stored: readonly StoredState[];
  /** The number that the topic has, or is to have. */
  readonly partitions: number;
  partitionOf(accountId: string): number;
  owners(): Promise<readonly Owner[]>;
  write(writes: readonly StateWrite[]): Promise<void>;
  /**
   * Does something while running instances have handed these partitions over, on what lies in the
   * topic by then; they take up afterwards what was written.
   *
   * @returns false, with nothing done, when they were not handed over
   */
  borrowing(
    partitions: readonly number[],
    work: (session: StateSession) => Promise<void>,
  ): Promise<boolean>;
}

/** How a topic that is missing is met. */
export type Missing = 'refuse' | 'empty' | 'create';

/**
 * Connects and reads the state topic; nobody's work is disturbed by it.
 *
 * @throws the taxonomy's errors of `kafka/` and `registry/`
 */
export async function openStateSession(
  config: Config,
  missing: Missing,
  signal: AbortSignal,
): Promise<StateSession> {
  await using stack = new AsyncDisposableStack();
  const topics = missing === 'create' ? 'create' : 'look';
  const { registry, kafka } = openQuietly(config, { roles: ['state'], topics }, signal);
  stack.use(registry);
  stack.use(kafka);
  const { stateAdmin: controlHandler } = kafka;
  const exists = missing !== 'empty' || (await controlHandler.exists());
  if (exists) await kafka.prepareTopics(signal);
  const stored = exists ? await controlHandler.read(signal) : [];
  const owned = stack.move();
  const session: StateSession = {
    topic: topicName(config.kafka.topicTemplate, 'state'),
    exists,
    form: openStateForm(),
    instance: config.polling.instance ?? hostname(),
    stored,
    // The topic is refused when it has another number.
    partitions: config.kafka.topics.statePartitions,
    partitionOf: (accountId) => partitionOf(accountId, config.kafka.topics.statePartitions),
    owners: () => (exists ? controlHandler.owners() : Promise.resolve([])),
    async write(writes) {
      await registry.prepare(signal);
      await controlHandler.write(writes, signal);
    },
    async borrowing(partitions, work) {
      const onFresh = async () => {
        await work({ ...session, stored: await controlHandler.read(signal) });
        return 'done' as const;
      };
      return (await kafka.group.borrow(partitions, onFresh, signal)) === 'done';
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
  return session;
}

/** A key's state: of two partitions' the one with the later sequence, as a restore takes it. */
export function stateOf(session: StateSession, key: string): StreamState | null {
  const states = session.stored.flatMap((one) =>
    one.key === key && one.restored.kind === 'state' ? [one.restored.state] : [],
  );
  return states.reduce<StreamState | null>(
    (newest, state) => (newest === null || state.sequence > newest.sequence ? state : newest),
    null,
  );
}

/** Narrows what is stored by what a person asked for. */
export interface Filter {
  readonly stream?: string | undefined;
  readonly account?: string | undefined;
}

/** The states of a stream, of an account, or all. */
export function matching(session: StateSession, { stream, account }: Filter): StoredState[] {
  return session.stored.filter(({ key }) => {
    const [ofStream, ofAccount] = key.split('/');
    return (
      (stream === undefined || ofStream === stream) &&
      (account === undefined || ofAccount === account)
    );
  });
}

/** @throws StopProcessError `state.invalid`: nothing is there under this name */
export function refuseUnknown(session: StateSession, what: string): never {
  const keys = [...new Set(session.stored.map(({ key }) => key))];
  const shown = keys.slice(0, 5).join(', ');
  const more = keys.length > 5 ? `, … (${keys.length} in all: state list)` : '';
  throw new StopProcessError(
    'state.invalid',
    `${session.topic} has no state of ${what}; it has ${keys.length === 0 ? 'none' : shown + more}.`,
    { exitCode: 2 },
  );
}
