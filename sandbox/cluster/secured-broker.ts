import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureArtifacts } from './artifacts.ts';
import { findFreePorts } from './free-port.ts';
import { artifactOptionsOf, findJava } from './java.ts';
import {
  type BrokerExtras,
  makeClusterId,
  type NamedListener,
  prepareBroker,
} from './kafka-process.ts';
import { startWatchdog } from './watchdog.ts';

/**
 * One broker with logins, TLS or an authorizer, without a registry; disposal stops it and removes
 * its data.
 */
export interface SecuredBroker extends AsyncDisposable {
  /** `host:port` of the administrator's plaintext listener. */
  readonly address: string;
  /** `host:port` of each further listener, by its name. */
  readonly listeners: Readonly<Record<string, string>>;
}

/**
 * Starts a broker by this machine's Java.
 *
 * @throws Error when Java or the download is missing, or the broker does not start (with the last
 *   lines of its log)
 */
export async function startSecuredBroker(
  listeners: readonly Omit<NamedListener, 'port'>[],
  extras: BrokerExtras,
  env: NodeJS.ProcessEnv = process.env,
): Promise<SecuredBroker> {
  const signal = undefined;
  const java = await findJava({ env, signal });
  const options = await artifactOptionsOf({ env, log: () => undefined, signal });
  const { kafkaLibrary } = await ensureArtifacts(options);
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-cluster-'));
  const watchdog = await startWatchdog(directory, env);
  try {
    const [client = 0, controller = 0, ...free] = await findFreePorts(2 + listeners.length);
    const more = listeners.map((one, index) => ({ ...one, port: free[index] ?? 0 }));
    const cluster = { id: makeClusterId(), ports: [{ client, controller, more }], extras };
    const library = (): string => kafkaLibrary;
    const context = { java, library, directory, env, watchdog, signal };
    const member = await prepareBroker(0, cluster, context);
    await member.start();
    return {
      address: `127.0.0.1:${client}`,
      listeners: Object.fromEntries(more.map(({ name, port }) => [name, `127.0.0.1:${port}`])),
      async [Symbol.asyncDispose]() {
        await member.kill();
        await watchdog[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await watchdog[Symbol.asyncDispose]();
    throw error;
  }
}
