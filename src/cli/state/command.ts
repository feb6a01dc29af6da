import { Option } from 'commander';
import { readFileSync } from 'node:fs';
import { text as readStream } from 'node:stream/consumers';
import { messageOf, type ExitCode } from '../../engine/errors.ts';
import { openStateForm } from '../../registry/index.ts';
import type { CommandDefinition, CommandGroup, Invocation, OptionRow } from '../command.ts';
import { carryOut, type ApplyOptions } from './apply.ts';
import { readImport } from './import-file.ts';
import { planImport, planMove, planReset, planSet, type Planner } from './plan.ts';
import { openStateSession, type StateFilter, type StateSession } from './session.ts';
import { exportStates, getState, listStates } from './show.ts';
import { rejectState } from './state-change.ts';

interface StateOptions extends ApplyOptions, StateFilter {
  readonly all?: boolean;
  readonly cursor?: string;
}

type StateInvocation = Invocation<StateOptions>;

type Subcommand = Pick<CommandDefinition, 'usage' | 'about' | 'examples' | 'options'>;

const one = 'user_insights/17841400000000001';

const outside = 'Kafka or the registry rejected the request or is unavailable';

const narrowing: readonly OptionRow[] = [
  ['--stream <name>', 'only this stream'],
  ['--account <id>', 'only this account'],
];

/** Description of `--force` for every command. */
export const forceMeans =
  'request a hand-over from a running instance, and take the partitions if it does not comply';

/** Description of the first day that is read, for every command that moves a cursor. */
export const lookback =
  'the days after it are read and published again, for user_insights also those of POLLING_LOOKBACK (2 days) before it';

const writing: readonly OptionRow[] = [
  ['--apply', 'write the plan; without it, the plan is only shown'],
  ['--hand-over', 'have the instance that owns the key hand its partition over during the write'],
  ['--force', forceMeans],
  ['--json', 'print the plan as JSON, with whole states'],
];

/** The states are in Kafka and need the registry; other settings would only fill the help. */
const settings = /^(?:kafka|schema-registry|polling-instance)/;

interface ReadCommand extends Subcommand {
  readonly show: (session: StateSession, invocation: StateInvocation) => string;
}

function reads({ show, ...subcommand }: ReadCommand): CommandDefinition {
  return {
    ...subcommand,
    exits: {
      0: 'printed',
      2: 'bad configuration or usage, or no such state',
      3: `${outside}, or the state cannot be read`,
    },
    settings,
    async run(invocation: StateInvocation): Promise<ExitCode> {
      await using session = await openStateSession(invocation.settings, 'fail');
      process.stdout.write(show(session, invocation));
      return 0;
    },
  };
}

interface ChangeCommand extends Subcommand {
  /** Reads the arguments before Kafka is connected. */
  readonly prepare: (invocation: StateInvocation) => Planner | Promise<Planner>;
  readonly createsTopic?: boolean;
}

/** Defines a subcommand that changes states. */
function changes({
  prepare,
  createsTopic = false,
  ...subcommand
}: ChangeCommand): CommandDefinition {
  const [name = ''] = subcommand.usage.split(' ');
  return {
    ...subcommand,
    exits: {
      0: 'written; without --apply, shown',
      2: 'bad configuration, key, date or file; nothing was changed',
      3: `${outside}, or a running instance owns the key; nothing was changed`,
    },
    settings,
    async run(invocation: StateInvocation): Promise<ExitCode> {
      const { options, settings } = invocation;
      const planner = await prepare(invocation);
      const missing = options.apply === true ? 'create' : 'empty';
      await using session = await openStateSession(settings, createsTopic ? missing : 'fail');
      const author = { writtenBy: `state ${name} on ${session.instance}`, nowMs: Date.now() };
      return await carryOut(session, (current) => planner(current, author), options);
    },
  };
}

export const stateCommands: CommandGroup = {
  usage: 'state',
  about: 'show and change the state of each stream and account: its cursor and checkpoint',
  examples: ['state list', `state get ${one}`, 'state reset --help'],
  commands: [
    reads({
      usage: 'list',
      about: 'list the states: cursor, end of a pause, sequence, time and author of the last write',
      examples: ['list', 'list --stream user_insights --json'],
      options: [...narrowing, ['--json', 'print a JSON list']],
      show: (session, { options }) => listStates(session, options, options.json === true),
    }),
    reads({
      usage: 'get <key>',
      about: 'print one state, decoded',
      examples: [`get ${one}`, `get ${one} --json`],
      options: [['--json', 'print long values in full']],
      show: (session, { args, options }) => getState(session, args[0] ?? '', options.json === true),
    }),
    reads({
      usage: 'export',
      about: 'print the states as JSON lines, for import',
      examples: ['export > state.jsonl', 'export --account 17841400000000001'],
      options: [
        ...narrowing,
        ['--json', 'accepted for consistency: the output is JSON lines anyway'],
      ],
      show: (session, { options }) => exportStates(session, options),
    }),
    changes({
      usage: 'set <key>',
      about: "move a stream's cursor, forward or back",
      examples: [
        `set ${one} --cursor 2026-11-01`,
        `set ${one} --cursor 2026-11-01T07:00:00Z --apply`,
      ],
      options: [
        ...writing,
        new Option(
          '--cursor <date>',
          `a day (midnight UTC) or a time with its offset; ${lookback}`,
        ).makeOptionMandatory(),
      ],
      prepare: ({ args: [key = ''], options: { cursor = '' } }) => planSet(key, cursor, Date.now()),
    }),
    changes({
      usage: 'reset [keys...]',
      about: 'delete states: their streams start from the beginning',
      examples: [
        `reset ${one}`,
        `reset ${one} --apply`,
        'reset --stream media_insights --apply',
        'reset --account 17841400000000001',
        'reset --all',
      ],
      options: [...narrowing, ...writing, ['--all', 'every state in the topic']],
      prepare:
        ({ args: keys, options: { stream, account, all = false } }) =>
        (session) =>
          planReset(session, { keys, all, stream, account }),
    }),
    changes({
      usage: 'move-partitions',
      about:
        'move states to the partitions of their accounts, after partitions were added to the topic',
      examples: ['move-partitions', 'move-partitions --apply'],
      options: writing,
      prepare: () => planMove,
    }),
    changes({
      usage: 'import <file>',
      about:
        "import the output of `state export`, or a state of Airbyte's source-instagram; - reads standard input",
      examples: [
        'import state.jsonl',
        'import airbyte-state.json --apply',
        'import - < state.jsonl',
      ],
      options: writing,
      createsTopic: true,
      prepare: async ({ args: [file = ''] }) =>
        planImport(readImport(await readInput(file), openStateForm(), Date.now())),
    }),
  ],
};

async function readInput(file: string): Promise<string> {
  if (file === '-') return await readStream(process.stdin);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return rejectState(`${file} cannot be read: ${messageOf(error)}`);
  }
}
