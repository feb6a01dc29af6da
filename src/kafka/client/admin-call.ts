import type { Admin } from 'kafkajs';
import { settled } from '../../engine/shutdown.ts';
import type { KafkaBase } from '../shared.ts';
import { openConnection, type Connection } from './connection.ts';
import { unlessAborted, withDeadline } from './deadline.ts';
import { translate, type FailureContext } from './errors.ts';

type Client = Pick<KafkaBase, 'options' | 'dependencies'>;

/** The operation and its required permissions, for an error's message. */
type Operation = Pick<FailureContext, 'doing' | 'needs' | 'ifMissing'>;

/** Runs a task with a client of its own and translates its error. */
export async function withConnection<T>(
  { options, dependencies }: Client,
  operation: Operation,
  task: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = openConnection(options, dependencies);
  try {
    return await task(connection);
  } catch (error) {
    throw translate(error, { options, ...operation, lastRejection: connection.lastRejection() });
  } finally {
    connection.destroy();
  }
}

/**
 * Sends administrative requests, on a connection of their own.
 *
 * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
 */
export function asAdmin<T>(
  client: Client,
  request: (admin: Admin) => Promise<T>,
  operation: Operation & { readonly signal?: AbortSignal; readonly limitMs?: number },
): Promise<T> {
  const { signal, limitMs = 30_000, ...context } = operation;
  return withConnection(client, context, async ({ kafka }) => {
    const admin = kafka.admin();
    const answered = admin.connect().then(() => request(admin));
    const bounded = withDeadline(answered, limitMs, context.doing);
    try {
      return await (signal === undefined ? bounded : unlessAborted(bounded, signal));
    } finally {
      await settled(admin.disconnect(), 1000);
    }
  });
}
