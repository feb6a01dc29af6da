import { readFileSync } from 'node:fs';
import { text as readStream } from 'node:stream/consumers';
import { StopProcessError } from '../../engine/errors.ts';
import { openStateForm } from '../../registry/index.ts';
import {
  option,
  stoppable,
  type CommandDefinition,
  type CommandGroup,
  type Exits,
  type Invocation,
} from '../command.ts';
import { loadCommandConfig } from '../load.ts';
import { listenForStop } from '../stop-signals.ts';
import { carryOut } from './apply.ts';
import { readImport } from './import-file.ts';
import { planMove } from './plan-move.ts';
import { planImport, planReset, planSet, readSet, type Plan } from './plan.ts';
import { openStateSession, type MissingTopic, type StateSession } from './session.ts';
import { exportStates, getState, listStates } from './show.ts';

interface StateOptions {
  readonly stream?: string;
  readonly account?: string;
  readonly json?: boolean;
}

interface WriteOptions extends StateOptions {
  readonly apply?: boolean;
  readonly handOver?: boolean;
  readonly force?: boolean;
  readonly all?: boolean;
}

const one = 'user_insights/17841400000000001';

const outside = 'Kafka or the registry refused or is unavailable';

const readingExits: Exits = {
  0: 'printed',
  2: 'bad configuration or usage, or no such state',
  3: `${outside}, or the state cannot be read`,
  ...stoppable,
};

const writingExits: Exits = {
  0: 'written; without --apply, shown',
  2: 'bad configuration, key, date or file; nothing was changed',
  3: `${outside}, or a running instance owns the key; nothing was changed`,
  ...stoppable,
};

const narrowing = [
  option('--stream <name>', 'only this stream'),
  option('--account <id>', 'only this account'),
];

/** Description of `--force` for every command. */
export const forceMeans =
  'request a hand-over from a running instance, and take the partitions if it does not comply';

/** Description of the first day that is read, for every command that moves a cursor. */
export const lookback =
  'the days after it are read and published again, for user_insights also those of POLLING_LOOKBACK (2 days) before it';

const writing = [
  option('--apply', 'write the plan; without it, the plan is only shown'),
  option(
    '--hand-over',
    'have the instance that owns the key hand its partition over during the write',
  ),
  option('--force', forceMeans),
  option('--json', 'print the plan as JSON, with whole states'),
];

/** The states are in Kafka and need the registry; other settings would only fill the help. */
const settings = /^(?:kafka|schema-registry|polling-instance)/;

/** The `state` command and its subcommands. */
export const stateCommands: CommandGroup = {
  usage: 'state',
  about: 'show and change the state of each stream and account: its cursor and checkpoint',
  examples: ['state list', `state get ${one}`, 'state reset --help'],
  commands: [
    {
      usage: 'list',
      about: 'list the states: cursor, sequence, time and author of the last write',
      examples: ['list', 'list --stream user_insights --json'],
      options: [...narrowing, option('--json', 'print a JSON list')],
      exits: readingExits,
      settings,
      run: (invocation: Invocation<StateOptions>) =>
        reading(invocation, (session) =>
          listStates(session, invocation.options, isSet(invocation.options.json)),
        ),
    },
    {
      usage: 'get <key>',
      about: 'print one state, decoded',
      examples: [`get ${one}`, `get ${one} --json`],
      options: [option('--json', 'print long values in full')],
      exits: readingExits,
      settings,
      run: (invocation) =>
        reading(invocation, (session) =>
          getState(session, operand(invocation), isSet(invocation.options.json)),
        ),
    },
    {
      usage: 'export',
      about: 'print the states as JSON lines, for import',
      examples: ['export > state.jsonl', 'export --account 17841400000000001'],
      options: [
        ...narrowing,
        option('--json', 'accepted for consistency: the output is JSON lines anyway'),
      ],
      exits: readingExits,
      settings,
      run: (invocation: Invocation<StateOptions>) =>
        reading(invocation, (session) => exportStates(session, invocation.options)),
    },
    {
      usage: 'set <key>',
      about: "move a stream's cursor, forward or back",
      examples: [
        `set ${one} --cursor 2026-11-01`,
        `set ${one} --cursor 2026-11-01T07:00:00Z --apply`,
      ],
      options: [
        ...writing,
        option(
          '--cursor <date>',
          `a day (midnight UTC) or a time with its offset; ${lookback}`,
        ).makeOptionMandatory(),
      ],
      exits: writingExits,
      settings,
      run(invocation: Invocation<WriteOptions & { readonly cursor: string }>) {
        const move = readSet(operand(invocation), invocation.options.cursor, Date.now());
        return changing(invocation, 'refuse', (session) =>
          planSet(session, move, authorOf(session, 'set')),
        );
      },
    },
    {
      usage: 'reset [keys...]',
      about: 'delete states: their streams start from the beginning',
      examples: [
        `reset ${one}`,
        `reset ${one} --apply`,
        'reset --stream media_insights --apply',
        'reset --account 17841400000000001',
        'reset --all',
      ],
      options: [...narrowing, ...writing, option('--all', 'every state in the topic')],
      exits: writingExits,
      settings,
      run(invocation: Invocation<WriteOptions>) {
        const { stream, account, all } = invocation.options;
        const selection = { keys: invocation.args, all: isSet(all), stream, account };
        return changing(invocation, 'refuse', (session) => planReset(session, selection));
      },
    },
    {
      usage: 'move-partitions',
      about:
        'move states to the partitions of their accounts, after partitions were added to the topic',
      examples: ['move-partitions', 'move-partitions --apply'],
      options: writing,
      exits: writingExits,
      settings,
      run: (invocation: Invocation<WriteOptions>) => changing(invocation, 'refuse', planMove),
    },
    {
      usage: 'import <file>',
      about:
        "import the output of `state export`, or a state of Airbyte's source-instagram; - reads standard input",
      examples: [
        'import state.jsonl',
        'import airbyte-state.json --apply',
        'import - < state.jsonl',
      ],
      options: writing,
      exits: writingExits,
      settings,
      async run(invocation: Invocation<WriteOptions>) {
        const text = await readInput(operand(invocation));
        const content = readImport(text, openStateForm(), Date.now());
        return await changing(
          invocation,
          isSet(invocation.options.apply) ? 'create' : 'empty',
          (session) => planImport(session, content, authorOf(session, 'import')),
        );
      },
    },
  ] satisfies readonly CommandDefinition[],
};

function operand({ args }: Invocation): string {
  return args[0] ?? '';
}

function isSet(flag: boolean | undefined): boolean {
  return flag ?? false;
}

function authorOf(session: StateSession, command: string) {
  return { writtenBy: `state ${command} on ${session.instance}`, nowMs: Date.now() };
}

async function reading(
  invocation: Invocation,
  show: (session: StateSession) => string,
): Promise<0> {
  const config = loadCommandConfig(invocation.settings, ['kafka', 'registry']);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, 'refuse', stop.signal);
  process.stdout.write(show(session));
  return 0;
}

async function changing(
  invocation: Invocation<WriteOptions>,
  missing: MissingTopic,
  plan: (session: StateSession) => Plan,
): Promise<0> {
  const config = loadCommandConfig(invocation.settings, ['kafka', 'registry']);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, missing, stop.signal);
  const { apply = false, handOver = false, force = false, json = false } = invocation.options;
  const applyOptions = { apply, requestsHandOver: handOver || force, force, json };
  process.stdout.write(await carryOut(session, plan, applyOptions));
  return 0;
}

async function readInput(file: string): Promise<string> {
  if (file === '-') return await readStream(process.stdin);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StopProcessError(
      'state.invalid',
      `${file} cannot be read: ${(error as Error).message}. Nothing was changed.`,
      { exitCode: 2 },
    );
  }
}
