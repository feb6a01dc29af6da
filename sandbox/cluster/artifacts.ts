import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type CacheOptions, ensureCached } from './cache.ts';
import { runCommand } from './child-process.ts';

/** Version of the Kafka broker, the same for Docker and Java. */
export const KAFKA_VERSION = '4.1.1';
/**
 * Version of the Apicurio registry; 2.6 is the last line with a runnable archive on Maven Central.
 */
export const APICURIO_VERSION = '2.6.13.Final';

const SLF4J_VERSION = '1.7.36';
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const DOWNLOAD_TIMEOUT_MS = 1_200_000;
const OUTPUT_TAIL_LINES = 12;

/** Paths of the programs on this machine. */
export interface Artifacts {
  /** Folder with the jars of Kafka and of its logger. */
  readonly kafkaLibrary: string;
  /** The registry's runnable jar. */
  readonly registryJar: string;
}

/** Options of the download of programs that the cache lacks. */
export interface ArtifactOptions extends CacheOptions {
  /** Environment of Maven; Maven's settings decide the download source. */
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Returns the programs of Kafka and of the registry, from the cache or, once, by Maven (185 MB
 * together).
 *
 * @throws Error when Maven is missing or cannot download them; the message ends with Maven's last
 *   lines
 */
export async function ensureArtifacts(options: ArtifactOptions): Promise<Artifacts> {
  // Sequential: two Maven processes on one local repository disturb each other.
  const kafka = await ensureCached(
    {
      name: `kafka-${KAFKA_VERSION}`,
      fill: async (directory) => {
        options.log(`downloading Kafka ${KAFKA_VERSION} by Maven (43 MB, once)`);
        await copyKafka(directory, options);
      },
    },
    options,
  );
  const registry = await ensureCached(
    {
      name: `apicurio-registry-${APICURIO_VERSION}`,
      fill: async (directory) => {
        options.log(`downloading Apicurio Registry ${APICURIO_VERSION} by Maven (142 MB, once)`);
        await copyRegistry(directory, options);
      },
    },
    options,
  );
  return {
    kafkaLibrary: join(kafka, 'lib'),
    registryJar: join(registry, `apicurio-registry-app-${APICURIO_VERSION}-runner.jar`),
  };
}

/**
 * Returns the jar of Kafka's tools, which a cluster does not need; its dependencies are among
 * Kafka's jars.
 *
 * @throws Error as {@link ensureArtifacts}
 */
export async function ensureKafkaTools(options: ArtifactOptions): Promise<string> {
  const directory = await ensureCached(
    {
      name: `kafka-tools-${KAFKA_VERSION}`,
      fill: async (draft) => {
        options.log(`downloading Kafka's tools ${KAFKA_VERSION} by Maven (2 MB, once)`);
        const artifact = `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`;
        const settings = [`-Dartifact=${artifact}`, `-DoutputDirectory=${draft}`];
        await runMaven([`${DEPENDENCY_PLUGIN}:copy`, ...settings], options);
      },
    },
    options,
  );
  return join(directory, `kafka-tools-${KAFKA_VERSION}.jar`);
}

async function copyKafka(directory: string, options: ArtifactOptions): Promise<void> {
  const pom = join(directory, 'pom.xml');
  await writeFile(pom, renderPom());
  const library = join(directory, 'lib');
  const goal = `${DEPENDENCY_PLUGIN}:copy-dependencies`;
  await runMaven(['-f', pom, goal, `-DoutputDirectory=${library}`], options);
}

async function copyRegistry(directory: string, options: ArtifactOptions): Promise<void> {
  const download = join(directory, 'download');
  await mkdir(download);
  const artifact = `io.apicurio:apicurio-registry-app:${APICURIO_VERSION}:tar.gz:all`;
  const settings = [`-Dartifact=${artifact}`, `-DoutputDirectory=${download}`];
  await runMaven([`${DEPENDENCY_PLUGIN}:copy`, ...settings], options);
  const archive = join(download, `apicurio-registry-app-${APICURIO_VERSION}-all.tar.gz`);
  const unpacked = await runCommand('tar', ['-xzf', archive, '-C', directory], options);
  if (unpacked.exitCode !== 0) throw new Error(`cannot unpack the registry: ${unpacked.output}`);
  await rm(download, { recursive: true });
}

async function runMaven(args: readonly string[], options: ArtifactOptions): Promise<void> {
  const timeout = AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS);
  const signal =
    options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
  const maven = await runCommand('mvn', ['--batch-mode', '--quiet', ...args], {
    env: options.env,
    signal,
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('mvn (Apache Maven) is not on the PATH and the jars are not in the cache');
  });
  if (maven.exitCode === 0) return;
  const tail = maven.output.trimEnd().split('\n').slice(-OUTPUT_TAIL_LINES).join('\n');
  throw new Error(`mvn ended with code ${maven.exitCode ?? 'none'}:\n${tail}`);
}

function renderPom(): string {
  const dependency = (group: string, artifact: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>sandbox</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', KAFKA_VERSION)}
${dependency('org.slf4j', 'slf4j-simple', SLF4J_VERSION)}
</dependencies>
</project>
`;
}
