import { strict as assert } from 'node:assert';
import { delimiter, join } from 'node:path';
import {
  type ArtifactOptions,
  ensureKafka,
  ensureKafkaTools,
} from '../../sandbox/cluster/artifacts.ts';
import { runCommand } from '../../sandbox/cluster/child-process.ts';
import { findJava } from '../../sandbox/cluster/java.ts';
import { check } from '../chaos/checker/check.ts';
import { readLog } from '../chaos/read-log.ts';
import { awaitEnd, awaitTruth, expectedNow } from '../chaos/rest.ts';
import { openSite, topicOf } from '../chaos/site.ts';

/** Decides only how fast the simulated world runs. */
const MINUTES = 2;
const SEED = 1;

/**
 * Upgrades three brokers one after another under a running instance, then enables the features of
 * the new release, and compares every record with the simulated world.
 *
 * @throws AssertionError when a record is lost, duplicated or reordered, or a state does not match
 */
export async function upgradeBrokers(
  versions: { readonly from: string; readonly to: string },
  options: ArtifactOptions,
  signal: AbortSignal,
): Promise<void> {
  const { log: say } = options;
  await using site = await openSite({
    minutes: MINUTES,
    seed: SEED,
    instances: 1,
    kafka: versions.from,
    say,
    signal,
  });
  site.fleet.start();
  const lost = [...(await awaitTruth(site, signal))];
  const startedMs = Date.now();
  site.fast.run();
  assert.ok(site.cluster.changeKafka, 'the cluster runs by Java');
  await site.cluster.changeKafka(versions.to);
  for (const index of site.cluster.brokers.keys()) {
    await site.cluster.broker.stop(index);
    await site.cluster.broker.start(index);
    say(`broker ${index} runs Kafka ${versions.to}`);
  }
  await enableFeatures(site.cluster.brokers, versions.to, options);
  const endedMs = Date.now();
  site.fast.rest();
  lost.push(...(await awaitTruth(site, signal)));
  assert.equal(await site.fleet.stop(0), 0, 'exit code of the instance after SIGTERM');
  await awaitEnd(site, signal);
  const log = readLog(site.reader, topicOf);
  const during = [...log.streams.values()]
    .flat()
    .filter(({ sentMs }) => sentMs > startedMs && sentMs < endedMs);
  say(
    `${during.length} records in the ${Math.round((endedMs - startedMs) / 1000)} s of the upgrade`,
  );
  assert.notEqual(during.length, 0, 'records during the upgrade');
  const found = check(log, expectedNow(site), lost);
  const none = { lost: [], duplicated: [], reordered: [], state_ahead: [], state_behind: [] };
  assert.deepEqual({ ...found, surprises: site.fleet.surprises }, { ...none, surprises: [] });
}

/** Does what `kafka-features.sh upgrade --release-version` does. */
async function enableFeatures(
  brokers: readonly string[],
  version: string,
  options: ArtifactOptions,
): Promise<void> {
  const library = await ensureKafka(options, version);
  const classPath = [join(library, '*'), await ensureKafkaTools(options, version)].join(delimiter);
  const { env, signal } = options;
  const { exitCode, output } = await runCommand(
    await findJava({ env, signal }),
    [
      ...['-cp', classPath, 'org.apache.kafka.tools.FeatureCommand'],
      ...['--bootstrap-server', brokers.join(',')],
      ...['upgrade', '--release-version', version.split('.').slice(0, 2).join('.')],
    ],
    { env, signal },
  );
  assert.equal(exitCode, 0, output);
}
