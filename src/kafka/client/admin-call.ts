import type { Admin } from 'kafkajs';
import { settled } from '../../engine/shutdown.ts';
import type { KafkaBase } from '../shared.ts';
import { openConnection, type Connection } from './connection.ts';
import { unlessAborted, withDeadline } from './deadline.ts';
import { translate, type FailureContext } from './errors.ts';

type Client = Pick<KafkaBase, 'options' | 'dependencies'>;

/** The operation and its required permissions, for an error's message. */
type Operation = Pick<FailureContext, 'doing' | 'needs' | 'ifMissing'>;

/**
 * Runs a task with a client of its own and translates its error. The clean-ups that the task defers
 * run after the translation, so that the brokers' answers to them are not taken for the error's
 * cause.
 */
export async function withConnection<T>(
  { options, dependencies }: Client,
  operation: Operation,
  task: (connection: Connection, cleanUps: AsyncDisposableStack) => Promise<T>,
): Promise<T> {
  const connection = openConnection(options, dependencies);
  const cleanUps = new AsyncDisposableStack();
  try {
    return await task(connection, cleanUps);
  } catch (error) {
    throw translate(error, {
      options,
      ...operation,
      lastBrokerError: connection.lastBrokerError(),
    });
  } finally {
    await cleanUps.disposeAsync();
    connection.destroy();
  }
}

/** Sends administrative requests, on a connection of their own; throws translated errors. */
export function asAdmin<T>(
  client: Client,
  request: (admin: Admin) => Promise<T>,
  operation: Operation & { readonly signal?: AbortSignal; readonly limitMs?: number },
): Promise<T> {
  const { signal, limitMs = 30_000, ...context } = operation;
  return withConnection(client, context, ({ kafka }, cleanUps) => {
    const admin = kafka.admin();
    cleanUps.defer(() => settled(admin.disconnect(), 1000));
    const answered = admin.connect().then(() => request(admin));
    const bounded = withDeadline(answered, limitMs, context.doing);
    return signal === undefined ? bounded : unlessAborted(bounded, signal);
  });
}
