import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type CacheOptions, ensureCached } from './cache.ts';
import { runCommand } from './child-process.ts';

/** Version of the Kafka broker, the same for Docker and Java. */
export const KAFKA_VERSION = '4.1.1';
/** Version of the Apicurio registry; 2.6 runs on Java 17, 3.3 does not. */
export const APICURIO_VERSION = '2.6.13.Final';

/** Megabytes; `scripts/ensure-installed.mjs` prints them too, before anything is installed. */
const sizes = JSON.parse(
  readFileSync(new URL('download-sizes.json', import.meta.url), 'utf8'),
) as Readonly<Record<'kafka' | 'registry', number>>;

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

/** Versions of the programs of a cluster. */
export interface Versions {
  readonly kafka: string;
  readonly registry: string;
}

/**
 * Returns the programs of Kafka and of the registry, from the cache or, once, by Maven.
 *
 * @throws Error when Maven is missing or cannot download them; the message ends with Maven's last
 *   lines
 */
export async function ensureArtifacts(
  options: ArtifactOptions,
  { kafka = KAFKA_VERSION, registry = APICURIO_VERSION }: Partial<Versions> = {},
): Promise<Artifacts> {
  // Sequential: two Maven processes on one local repository disturb each other.
  const kafkaLibrary = await ensureKafka(options, kafka);
  return { kafkaLibrary, registryJar: await ensureRegistry(options, registry) };
}

/**
 * Returns the folder of Kafka's jars.
 *
 * @throws Error as {@link ensureArtifacts}
 */
export async function ensureKafka(options: ArtifactOptions, version: string): Promise<string> {
  const directory = await ensureCached(
    {
      name: `kafka-${version}`,
      fill: async (draft) => {
        options.log(`downloading Kafka ${version} by Maven (about ${sizes.kafka} MB, once)`);
        await copyKafka(draft, version, options);
      },
    },
    options,
  );
  return join(directory, 'lib');
}

async function ensureRegistry(options: ArtifactOptions, version: string): Promise<string> {
  const directory = await ensureCached(
    {
      name: `apicurio-registry-${version}`,
      fill: async (draft) => {
        options.log(
          `downloading Apicurio Registry ${version} by Maven (about ${sizes.registry} MB, once)`,
        );
        await copyRegistry(draft, version, options);
      },
    },
    options,
  );
  const jar = version.startsWith('2.')
    ? `apicurio-registry-app-${version}-runner.jar`
    : 'quarkus-run.jar';
  return join(directory, jar);
}

/**
 * Returns the jar of Kafka's tools, which a cluster does not need; its dependencies are among
 * Kafka's jars.
 *
 * @throws Error as {@link ensureArtifacts}
 */
export async function ensureKafkaTools(
  options: ArtifactOptions,
  version = KAFKA_VERSION,
): Promise<string> {
  const directory = await ensureCached(
    {
      name: `kafka-tools-${version}`,
      fill: async (draft) => {
        options.log(`downloading Kafka's tools ${version} by Maven (2 MB, once)`);
        await copyArtifact(`org.apache.kafka:kafka-tools:${version}`, draft, options);
      },
    },
    options,
  );
  return join(directory, `kafka-tools-${version}.jar`);
}

/**
 * Returns the newest release of Kafka that Maven's repository serves.
 *
 * @throws Error as {@link ensureArtifacts}
 */
export async function findNewestKafka(options: ArtifactOptions): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kafka-release-'));
  try {
    await copyArtifact('org.apache.kafka:kafka_2.13:RELEASE:pom', directory, options);
    const [, version] = /^kafka_2\.13-(.+)\.pom$/.exec((await readdir(directory))[0] ?? '') ?? [];
    if (version === undefined) throw new Error('Maven names no newest release of kafka_2.13');
    return version;
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function copyKafka(
  directory: string,
  version: string,
  options: ArtifactOptions,
): Promise<void> {
  const pom = join(directory, 'pom.xml');
  await writeFile(pom, renderPom(version));
  const goal = `${DEPENDENCY_PLUGIN}:copy-dependencies`;
  await runMaven(['-f', pom, goal, `-DoutputDirectory=${join(directory, 'lib')}`], options);
}

async function copyRegistry(
  directory: string,
  version: string,
  options: ArtifactOptions,
): Promise<void> {
  const download = join(directory, 'download');
  await mkdir(download);
  const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`;
  await copyArtifact(artifact, download, options);
  const archive = join(download, `apicurio-registry-app-${version}-all.tar.gz`);
  const unpacked = await runCommand('tar', ['-xzf', archive, '-C', directory], options);
  if (unpacked.exitCode !== 0) throw new Error(`cannot unpack the registry: ${unpacked.output}`);
  await rm(download, { recursive: true });
}

async function copyArtifact(
  artifact: string,
  directory: string,
  options: ArtifactOptions,
): Promise<void> {
  const settings = [`-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`];
  await runMaven([`${DEPENDENCY_PLUGIN}:copy`, ...settings], options);
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

function renderPom(version: string): string {
  const dependency = (group: string, artifact: string, version: string): string =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>sandbox</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
${dependency('org.apache.kafka', 'kafka_2.13', version)}
${dependency('org.slf4j', 'slf4j-simple', SLF4J_VERSION)}
</dependencies>
</project>
`;
}
