import type { Admin } from 'kafkajs';
import type { RequiredPermission } from './acls.ts';
import { openConnection } from './connection.ts';
import { withDeadline } from './deadline.ts';
import { settled } from '../../engine/shutdown.ts';
import { translate } from './errors.ts';
import type { KafkaShared } from '../shared.ts';

const limitMs = 30_000;

/**
 * Sends one administrative request, on a connection of its own.
 *
 * @param context - the operation and its required permissions, for an error's message
 * @throws RetryError `kafka.unavailable`, StopProcessError `kafka.unauthorized`
 */
export async function asAdmin<T>(
  { options, dependencies }: Pick<KafkaShared, 'options' | 'dependencies'>,
  request: (admin: Admin) => Promise<T>,
  context: { readonly doing: string; readonly needs: readonly RequiredPermission[] },
): Promise<T> {
  const connection = openConnection(options, dependencies);
  const admin = connection.kafka.admin();
  const connectAndRequest = async (): Promise<T> => {
    await admin.connect();
    return request(admin);
  };
  try {
    return await withDeadline(connectAndRequest(), limitMs, context.doing);
  } catch (error) {
    throw translate(error, { options, ...context, lastRejection: connection.lastRejection() });
  } finally {
    await settled(admin.disconnect(), 1000);
    connection.destroy();
  }
}
