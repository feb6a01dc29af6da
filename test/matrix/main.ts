/**
 * `npm run test:matrix [-- TEXT]`: the program against several versions of Kafka and several
 * registries, and an upgrade of the brokers under a running instance; with TEXT only the worlds
 * whose names contain it. A whole run writes docs/support.json, from which `npm run docs` writes
 * docs/support.md. The exit code is 1 when a cell failed.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type ArtifactOptions, findNewestKafka } from '../../sandbox/cluster/artifacts.ts';
import { artifactOptionsOf } from '../../sandbox/cluster/java.ts';
import { createWorld } from '../../sandbox/graph-api/world.ts';
import { stopSignal } from '../../sandbox/stop.ts';
import {
  type SupportCell,
  type SupportResult,
  type SupportStep,
  supportResultFile,
  supportSteps,
} from '../../scripts/support-page.ts';
import { deploy } from '../integration/end-to-end/deployment.ts';
import { type Consume, consumerName, installConsumer } from './python.ts';
import { steps } from './steps.ts';
import { upgradeBrokers } from './upgrade.ts';
import { listWorlds, type MatrixWorld, Unavailable } from './worlds.ts';

/** Of the last line before Kafka 4. */
const UPGRADE_FROM = '3.9.2';
const LONGEST_REASON = 300;
const stepNames = Object.keys(supportSteps) as SupportStep[];
const passed: SupportCell = { outcome: 'passed' };

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Runs every step, also after one that failed. */
async function runWorld(
  { kafka, open }: MatrixWorld,
  options: ArtifactOptions,
  consume: Consume,
): Promise<Readonly<Record<SupportStep, SupportCell>>> {
  const cells = new Map<SupportStep, SupportCell>();
  try {
    await using running = await open(options);
    const world = createWorld({
      seed: 5,
      accounts: 2,
      smallAccounts: 0,
      mediaPerAccount: 20,
      storiesPerAccount: 3,
      insightsDays: 35,
    });
    await using deployment = await deploy(world, {
      sources: ['environment'],
      env: { KAFKA_BROKERS: running.brokers.join(','), SCHEMA_REGISTRY_URL: running.registryUrl },
    });
    for (const step of stepNames) {
      cells.set(step, await outcomeOf(() => steps[step]({ deployment, kafka, consume })));
      say(`  ${step}: ${describe(cells.get(step) ?? passed)}`);
      options.signal?.throwIfAborted();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    const cell = cellOf(error);
    say(`  ${describe(cell)}`);
    for (const step of stepNames) if (!cells.has(step)) cells.set(step, cell);
  }
  return Object.fromEntries(cells) as Record<SupportStep, SupportCell>;
}

async function outcomeOf(step: () => Promise<void>): Promise<SupportCell> {
  try {
    await step();
    return passed;
  } catch (error) {
    return cellOf(error);
  }
}

function cellOf(error: unknown): SupportCell {
  const text = error instanceof Error ? error.message : String(error);
  const why = text.trim().replace(/\s+/g, ' ').slice(0, LONGEST_REASON);
  return { outcome: error instanceof Unavailable ? 'not run' : 'failed', why };
}

function describe({ outcome, why }: SupportCell): string {
  return why === undefined ? outcome : `${outcome}: ${why}`;
}

async function runMatrix(text: string, signal: AbortSignal): Promise<SupportResult> {
  const options = await artifactOptionsOf({ env: process.env, log: say, signal });
  const newestKafka = await findNewestKafka(options);
  const consume = await installConsumer(options);
  const worlds: SupportResult['worlds'][number][] = [];
  for (const world of listWorlds(newestKafka)) {
    const { brokers, registry } = world;
    const name = `${brokers}, ${registry}`;
    if (!name.includes(text)) continue;
    say(`— ${name}`);
    worlds.push({ brokers, registry, cells: await runWorld(world, options, consume) });
  }
  const upgrades: SupportResult['upgrades'][number][] = [];
  const name = `upgrade from Kafka ${UPGRADE_FROM} to ${newestKafka}`;
  if (name.includes(text)) {
    say(`— ${name}`);
    const versions = { from: UPGRADE_FROM, to: newestKafka };
    const cell = await outcomeOf(() => upgradeBrokers(versions, options, signal));
    say(`  ${describe(cell)}`);
    upgrades.push({ from: `Kafka ${versions.from}`, to: `Kafka ${versions.to}`, ...cell });
  }
  if (worlds.length + upgrades.length === 0) {
    throw new RangeError(`got "${text}", expected a part of a name in test/matrix/worlds.ts`);
  }
  const date = new Date().toISOString().slice(0, 10);
  return { date, consumer: consumerName, worlds, upgrades };
}

/** Prints a line for each world; returns the number of failed cells. */
function printTable({ worlds, upgrades }: SupportResult): number {
  const rows = [
    ['', ...stepNames],
    ...worlds.map(({ brokers, registry, cells }) => [
      `${brokers}, ${registry}`,
      ...stepNames.map((step) => cells[step].outcome),
    ]),
    ...upgrades.map(({ from, to, outcome }) => [`${from} -> ${to}`, outcome]),
  ];
  const widths = rows[0]?.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0));
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
  const all = [...worlds.flatMap(({ cells }) => Object.values(cells)), ...upgrades];
  return all.filter(({ outcome }) => outcome === 'failed').length;
}

const signal = stopSignal();
try {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [text = ''] = positionals;
  const startedMs = performance.now();
  const result = await runMatrix(text, signal);
  const failed = printTable(result);
  say(`${failed} failed, after ${Math.round((performance.now() - startedMs) / 1000)} s`);
  if (text === '') {
    const file = fileURLToPath(new URL(`../../${supportResultFile}`, import.meta.url));
    writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
    say(`${supportResultFile} written; now run "npm run docs"`);
  }
  process.exitCode = failed > 0 ? 1 : 0;
} catch (error) {
  if (!signal.aborted) say(error instanceof Error ? error.message : String(error));
  process.exitCode = signal.aborted ? 130 : 2;
}
