import { registryAccess } from '../credentials.ts';
import type { Config } from '../config/config.ts';
import type { ExitCode } from '../engine/errors.ts';
import { streamNames, type TopicRole } from '../engine/stream-name.ts';
import { openRegistry, type RegistryAdapter, type SubjectFinding } from '../registry/index.ts';
import {
  option,
  print,
  stoppable,
  untilStopped,
  type CommandDefinition,
  type CommandGroup,
  type Invocation,
} from './command.ts';
import { loadCommandConfig } from './load.ts';
import { describeDifferences, isFit, listFindings, standing } from './schemas-text.ts';
import { asTable } from './table.ts';

interface SchemasContext {
  readonly config: Config;
  readonly registry: RegistryAdapter;
  readonly roles: readonly TopicRole[];
  readonly json: boolean;
  readonly signal: AbortSignal;
}

type SchemasAction = (context: SchemasContext) => Promise<ExitCode>;

const unavailable = 'the registry refused or is unavailable';

/** The `schemas` command and its subcommands. */
export const schemasCommands: CommandGroup = {
  usage: 'schemas',
  about: "compare this version's Avro schemas with the registry, and register them",
  examples: ['schemas check', 'schemas diff --streams all', 'schemas register --help'],
  commands: [
    command(check, {
      usage: 'check',
      about:
        'show for each schema whether it is registered, and whether the registry would accept it',
      examples: ['check', 'check --streams all --json', 'check --schema-registry-mode verify'],
      exits: {
        0: 'a start would accept all of them',
        3: `a start would reject one, or ${unavailable}`,
      },
    }),
    command(register, {
      usage: 'register',
      about:
        'check all schemas, then register the missing ones, as a start does; also with SCHEMA_REGISTRY_MODE=verify',
      examples: ['register', 'register --streams all'],
      exits: {
        0: 'all are registered',
        3: `one is incompatible and none was registered, or ${unavailable}`,
      },
    }),
    command(diff, {
      usage: 'diff',
      about: 'list the fields in which each schema differs from its latest registered version',
      examples: ['diff', 'diff --streams media --json'],
      exits: { 0: 'printed', 3: unavailable },
    }),
  ],
};

function command(
  action: SchemasAction,
  own: Pick<CommandDefinition, 'usage' | 'about' | 'examples' | 'exits'>,
): CommandDefinition {
  return {
    ...own,
    exits: { ...own.exits, ...stoppable },
    options: [option('--json', 'print a JSON list')],
    settings: /^(?:schema-registry|streams$|kafka-topic-template$)/,
    run: (invocation) => withRegistry(invocation, action),
  };
}

function withRegistry({ options, settings }: Invocation, action: SchemasAction): Promise<ExitCode> {
  const config = loadCommandConfig(settings, ['registry']);
  const enabled = streamNames.filter((name) => config.streams[name].enabled);
  const roles: readonly TopicRole[] = [...enabled, 'state', 'dead_letters'];
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    await using registry = openRegistry({
      // Drops log lines; error messages name no secret.
      ...registryAccess(config.schemaRegistry, () => undefined),
      ...(action === register && ({ mode: 'register' } as const)),
      topicTemplate: config.kafka.topicTemplate,
      roles,
    });
    return await action({ config, registry, roles, json: options.json ?? false, signal });
  });
}

async function check({ config, registry, json, signal }: SchemasContext): Promise<ExitCode> {
  const { mode } = config.schemaRegistry;
  const findings = await registry.inspect(signal);
  const isGood = findings.every((finding) => isFit(finding, mode));
  print(json, {
    text: () => listFindings(findings, mode),
    json: () => findings.map((one) => ({ ...one, standing: standing(one, mode) })),
  });
  return isGood ? 0 : 3;
}

async function register({ registry, roles, json, signal }: SchemasContext): Promise<ExitCode> {
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
  print(json, { text: () => asTable([['SUBJECT', 'ID', 'RESULT'], ...table]), json: () => rows });
  return 0;
}

async function diff({ registry, json, signal }: SchemasContext): Promise<ExitCode> {
  const findings = await registry.inspect(signal);
  print(json, { text: () => describeDifferences(findings), json: () => findings.map(asDiff) });
  return 0;
}

function asDiff({ subject, versions, differences }: SubjectFinding) {
  return { subject, version: versions.at(-1) ?? null, differences };
}
