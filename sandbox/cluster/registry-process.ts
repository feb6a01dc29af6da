import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { createProcessMember } from './child-process.ts';
import type { Member } from './cluster.ts';
import { registryServes } from './readiness.ts';
import type { Watchdog } from './watchdog.ts';

/** Path of Apicurio's API that is compatible with Confluent's Schema Registry. */
export const CONFLUENT_API_PATH = '/apis/ccompat/v7';

/** Paths and Java of the registry. */
export interface RegistryContext {
  /** The `java` command. */
  readonly java: string;
  /** The runnable jar. */
  readonly jar: string;
  readonly port: number;
  /** Folder of the whole cluster. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly watchdog: Watchdog;
  readonly signal: AbortSignal | undefined;
}

/**
 * Returns the environment of the registry. Its database is a file that every commit reaches at
 * once. By default it is in memory, and a restart would lose every schema and its id, unlike a real
 * registry.
 *
 * @param listen - the address to listen on
 * @param database - path of the database file, without an extension
 */
export function makeRegistryEnvironment(
  listen: { readonly host: string; readonly port: number },
  database: string,
): Record<string, string> {
  const url = `jdbc:h2:file:${database};WRITE_DELAY=0`;
  return {
    QUARKUS_HTTP_HOST: listen.host,
    QUARKUS_HTTP_PORT: String(listen.port),
    QUARKUS_LOG_LEVEL: 'WARN',
    QUARKUS_DATASOURCE_JDBC_INITIAL_SIZE: '2',
    QUARKUS_DATASOURCE_JDBC_MIN_SIZE: '2',
    // Apicurio 2 and 3 each ignore the other's name.
    REGISTRY_DATASOURCE_URL: url,
    APICURIO_DATASOURCE_URL: url,
  };
}

/** Prepares the registry; it runs from its `start` on. */
export async function prepareRegistry(context: RegistryContext): Promise<Member> {
  const directory = join(context.directory, 'registry');
  await mkdir(directory);
  const url = `http://127.0.0.1:${context.port}${CONFLUENT_API_PATH}`;
  const listen = { host: '127.0.0.1', port: context.port };
  return createProcessMember(
    {
      name: `the registry on 127.0.0.1:${context.port}`,
      command: context.java,
      args: () => [
        '-Xmx400m',
        '-XX:+UseSerialGC',
        '-XX:TieredStopAtLevel=1',
        '-XX:-UsePerfData',
        // The registry unpacks its web pages there.
        `-Djava.io.tmpdir=${directory}`,
        '-jar',
        context.jar,
      ],
      env: { ...context.env, ...makeRegistryEnvironment(listen, join(directory, 'database')) },
      logFile: join(directory, 'registry.log'),
      serves: () => registryServes(url),
    },
    context.watchdog,
    context.signal,
  );
}
