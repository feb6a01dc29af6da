import type { Command } from 'commander';
import { registryAccess } from '../credentials.ts';
import type { Config } from '../config/config.ts';
import type { ExitCode } from '../core/errors.ts';
import type { TopicRole } from '../core/stream-name.ts';
import { streamNames } from '../core/stream-name.ts';
import type { RegistryAdapter, SubjectFinding } from '../registry/open.ts';
import { openRegistry } from '../registry/open.ts';
import type { Exits } from './exit-codes.ts';
import { stoppable } from './exit-codes.ts';
import { loadCommandConfig } from './load.ts';
import type { Options } from './own-options.ts';
import { addCommandGroup, addOwnCommand, settingsOf } from './own-options.ts';
import { describeDifferences, isFit, listFindings, standing } from './schemas-text.ts';
import { listenForStop } from './stop-signals.ts';
import { asTable } from './table.ts';

/** What a command of the group prints, and how it ends. */
interface Outcome {
  readonly text: string;
  readonly exitCode: ExitCode;
}

interface Work {
  readonly config: Config;
  readonly registry: RegistryAdapter;
  readonly roles: readonly TopicRole[];
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** Adds `schemas` and its commands. */
export function addSchemasCommand(root: Command, end: (code: ExitCode) => void): void {
  const group = addCommandGroup(root, {
    usage: 'schemas',
    about: "compare this version's Avro schemas with the registry, and register them",
    examples: ['schemas check', 'schemas diff --streams all', 'schemas register --help'],
  });
  for (const [usage, { about, exits, act, examples }] of Object.entries(commands)) {
    addOwnCommand(group, {
      usage,
      about,
      examples,
      exits: { ...exits, ...stoppable },
      options: (command) => command.option('--json', 'print a JSON list'),
      settings: /^(?:schema-registry|streams$|kafka-topic-template$)/,
    }).action(async (options: Options) => {
      const { text, exitCode } = await withRegistry(options, usage, act);
      process.stdout.write(text);
      end(exitCode);
    });
  }
}

interface Details {
  readonly about: string;
  readonly examples: readonly string[];
  readonly exits: Exits;
  readonly act: (work: Work) => Promise<Outcome>;
}

const away = 'the registry refused or is away';

const commands: Readonly<Record<string, Details>> = {
  check: {
    about: 'say of each schema whether it may follow what is registered, and whether it is',
    examples: ['check', 'check --streams all --json', 'check --schema-registry-mode verify'],
    exits: { 0: 'a start would accept all of them', 3: `a start would refuse one, or ${away}` },
    act: check,
  },
  register: {
    about:
      'check all schemas, then register those that are missing, as a start does; also with SCHEMA_REGISTRY_MODE=verify',
    examples: ['register', 'register --streams all'],
    exits: {
      0: 'all are registered',
      3: `one is incompatible and none was registered, or ${away}`,
    },
    act: register,
  },
  diff: {
    about: 'name the fields in which each schema differs from the latest version registered',
    examples: ['diff', 'diff --streams media --json'],
    exits: { 0: 'printed', 3: away },
    act: diff,
  },
};

async function withRegistry(
  options: Options,
  command: string,
  act: Details['act'],
): Promise<Outcome> {
  const config = loadCommandConfig(settingsOf(options, ['json']), ['registry']);
  const enabled = streamNames.filter((name) => config.streams[name].enabled);
  const roles: readonly TopicRole[] = [...enabled, 'state', 'dead_letters'];
  const { topicTemplate } = config.kafka;
  const mode = command === 'register' ? ({ mode: 'register' } as const) : {};
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using registry = openRegistry({
    // Nothing is logged here; errors name no secret.
    ...registryAccess(config.schemaRegistry, () => undefined),
    ...mode,
    topicTemplate,
    roles,
  });
  try {
    const json = options['json'] === true;
    return await act({ config, registry, roles, json, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return { text: '', exitCode: 0 };
  }
}

async function check({ config, registry, json, signal }: Work): Promise<Outcome> {
  const { mode } = config.schemaRegistry;
  const findings = await registry.inspect(signal);
  const isGood = findings.every((finding) => isFit(finding, mode));
  const text = json
    ? asJson(findings.map((one) => ({ ...one, standing: standing(one, mode) })))
    : listFindings(findings, mode);
  return { text, exitCode: isGood ? 0 : 3 };
}

async function register({ registry, roles, json, signal }: Work): Promise<Outcome> {
  const before = await registry.inspect(signal);
  await registry.prepare(signal);
  const rows = roles.map((role) => {
    const known = before.find((one) => one.role === role);
    const id = registry.encoder.schemaId(role);
    return { subject: known?.subject ?? '', id, was_registered: known?.id === id };
  });
  const table = rows.map(({ subject, id, was_registered: was }) => {
    return [subject, String(id), was ? 'was registered' : 'registered now'];
  });
  const text = json ? asJson(rows) : asTable([['SUBJECT', 'ID', 'RESULT'], ...table]);
  return { text, exitCode: 0 };
}

async function diff({ registry, json, signal }: Work): Promise<Outcome> {
  const findings = await registry.inspect(signal);
  const text = json ? asJson(findings.map(asDiff)) : describeDifferences(findings);
  return { text, exitCode: 0 };
}

function asDiff({ subject, versions, differences }: SubjectFinding) {
  return { subject, version: versions.at(-1) ?? null, differences };
}

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
