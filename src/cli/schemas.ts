import type { Config } from '../config/config.ts';
import type { ExitCode } from '../engine/errors.ts';
import { printableLines } from '../engine/printable.ts';
import { isId } from '../instagram/account-choice.ts';
import { isPerAccount } from '../engine/stream-name.ts';
import {
  acceptsSchemas,
  type FieldDifference,
  type RegistryAdapter,
  type SubjectFinding,
} from '../registry/index.ts';
import {
  accountIds,
  print,
  untilStopped,
  usage,
  type CommandDefinition,
  type CommandGroup,
  type Invocation,
  type Printed,
} from './command.ts';
import { loadCommandConfig, topicRoles } from './context.ts';
import { openQuietRegistry } from './open-quietly.ts';
import { asTable } from './text.ts';

type Mode = 'register' | 'verify';

interface SchemasContext {
  readonly registry: RegistryAdapter;
  readonly mode: Mode;
  readonly signal: AbortSignal;
  /** The accounts with subjects of their own; none where all accounts share them. */
  readonly accounts: readonly string[];
}

interface SchemasResult extends Printed {
  readonly exitCode?: ExitCode;
}

type SchemasAction = (context: SchemasContext) => Promise<SchemasResult>;

const unavailable = 'the registry rejected the request or is unavailable';

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
    options: [
      [
        '--account <ids>',
        'the accounts, separated by commas, where each account has its own subjects',
        accountIds,
      ],
      ['--json', 'print a JSON list'],
    ],
    settings:
      /^(?:schema-registry|streams$|kafka-(?:topic-template|key-format)$|instagram-account(?:s|-settings)$)/,
    run({ options: { json, account }, settings }: Invocation<{ account?: readonly string[] }>) {
      const config = loadCommandConfig(settings, ['registry']);
      const { schemaRegistry, kafka, polling } = config;
      const accounts = accountsOf(config, account);
      const mode = action === register ? 'register' : schemaRegistry.mode;
      return untilStopped(polling.shutdownGraceMs, async (signal) => {
        const wanted = { schemaRegistry: { ...schemaRegistry, mode }, kafka };
        await using registry = openQuietRegistry(wanted, topicRoles(config));
        const { exitCode = 0, ...result } = await action({ registry, mode, signal, accounts });
        print(json, result);
        return exitCode;
      });
    },
  };
}

/** @throws StopProcessError `config.invalid` where each account has its subjects and none is named */
function accountsOf({ kafka, instagram }: Config, named?: readonly string[]): readonly string[] {
  if (!isPerAccount(kafka.topicTemplate)) return [];
  const accounts = named ?? instagram.accounts;
  // The API alone has the ids of user names, and this command does not request it.
  if (accounts.length > 0 && accounts.every(isId)) return accounts;
  throw usage(
    `schemas: expected --account or ids in INSTAGRAM_ACCOUNTS, because KAFKA_TOPIC_TEMPLATE is ${kafka.topicTemplate}: each account has its own subjects`,
  );
}

async function check({ registry, mode, signal, accounts }: SchemasContext): Promise<SchemasResult> {
  const findings = await registry.inspect(signal, accounts);
  return {
    text: () => listFindings(findings, mode),
    json: () => findings.map((one) => ({ ...one, status: schemaStatus(one, mode) })),
    exitCode: findings.every((finding) => isFit(finding, mode)) ? 0 : 3,
  };
}

async function register({ registry, signal, accounts }: SchemasContext): Promise<SchemasResult> {
  const before = await registry.inspect(signal, accounts);
  await registry.prepare(signal);
  for (const account of accounts) await registry.prepareAccount(account, signal);
  const after = await registry.inspect(signal, accounts);
  const rows = after.map(({ subject, id }, index) => ({
    subject,
    id,
    was_registered: before[index]?.id === id,
  }));
  const table = rows.map(({ subject, id, was_registered: was }) => {
    return [subject, String(id), was ? 'was registered' : 'registered now'];
  });
  return { text: () => asTable([['SUBJECT', 'ID', 'RESULT'], ...table]), json: () => rows };
}

async function diff({ registry, signal, accounts }: SchemasContext): Promise<SchemasResult> {
  const findings = await registry.inspect(signal, accounts);
  const rows = findings.map(({ subject, versions, differences }) => {
    return { subject, version: versions.at(-1) ?? null, differences };
  });
  return { text: () => describeDifferences(findings), json: () => rows };
}

/** The results that a start can have for a schema. */
const words = {
  registered: 'registered',
  new: 'new: the start registers it as the first version',
  compatible: 'compatible: the start registers it as another version',
  incompatible: 'INCOMPATIBLE',
  missing: 'MISSING: run `schemas register`, or set SCHEMA_REGISTRY_MODE=register',
  blocked: "BLOCKED: the registry's mode accepts no new schema",
} as const;

/** Returns the result that a start would have for a schema. */
export function schemaStatus(
  { id, incompatible, versions, mode: subjectMode }: SubjectFinding,
  mode: Mode,
): keyof typeof words {
  if (incompatible !== null) return 'incompatible';
  if (id !== null) return 'registered';
  if (mode === 'verify') return 'missing';
  if (!acceptsSchemas(subjectMode)) return 'blocked';
  return versions.length === 0 ? 'new' : 'compatible';
}

/** True when a start would accept the schema. */
export function isFit(finding: SubjectFinding, mode: Mode): boolean {
  return !['incompatible', 'missing', 'blocked'].includes(schemaStatus(finding, mode));
}

/** Formats one line per subject, and the errors below the table. */
export function listFindings(findings: readonly SubjectFinding[], mode: Mode): string {
  const table = asTable([
    ['SUBJECT', 'VERSIONS', 'LEVEL', 'ID', 'STATUS'],
    ...findings.map((finding) => [
      finding.subject,
      finding.versions.join(',') || '-',
      finding.level ?? '-',
      String(finding.id ?? '-'),
      words[schemaStatus(finding, mode)],
    ]),
  ]);
  const errors = findings.flatMap(({ incompatible }) =>
    incompatible === null ? [] : [`\n${printableLines(incompatible)}\n`],
  );
  return `${table}${errors.join('')}`;
}

/** Formats one line per differing field, with `+`, `-` and `~` as in a patch. */
export function describeDifferences(findings: readonly SubjectFinding[]): string {
  const texts = findings.map(({ subject, versions, differences }) => {
    const latest = versions.at(-1);
    if (latest === undefined) return `${subject}: is not registered yet\n`;
    if (differences.length === 0) return `${subject}: same fields as version ${latest}\n`;
    const lines = differences.map((one) => `  ${describeField(one)}\n`);
    return `${subject}: against version ${latest}\n${lines.join('')}`;
  });
  return printableLines(texts.join(''));
}

function describeField({ field, before, after, has_default: hasDefault }: FieldDifference): string {
  const note = hasDefault ? '' : ', without a default';
  if (before === null) return `+ ${field}: ${after ?? ''}${note}`;
  if (after === null) return `- ${field}: ${before}${note}`;
  return `~ ${field}: ${before} -> ${after}`;
}
