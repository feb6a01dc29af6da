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
  type Given,
} from '../command.ts';
import { loadCommandConfig } from '../load.ts';
import { listenForStop } from '../stop-signals.ts';
import { carryOut } from './apply.ts';
import { readImport } from './import-file.ts';
import { planMove } from './plan-move.ts';
import { planImport, planReset, planSet, readSet, type Plan } from './plan.ts';
import { openStateSession, type Missing, type StateSession } from './session.ts';
import { exportStates, getState, listStates } from './show.ts';

interface Options {
  readonly stream?: string;
  readonly account?: string;
  readonly json?: boolean;
}

interface WriteOptions extends Options {
  readonly apply?: boolean;
  readonly handOver?: boolean;
  readonly force?: boolean;
  readonly all?: boolean;
}

const one = 'user_insights/17841400000000001';

const outside = 'Kafka or the registry refused or is away';

const readingExits: Exits = {
  0: 'printed',
  2: 'bad configuration or usage, or no such state',
  3: `${outside}, or the state cannot be read`,
  ...stoppable,
};

const writingExits: Exits = {
  0: 'written, or shown what would be',
  2: 'bad configuration, key, date or file; nothing was changed',
  3: `${outside}, or a running instance owns the key; nothing was changed`,
  ...stoppable,
};

const narrowing = [
  option('--stream <name>', 'only this stream'),
  option('--account <id>', 'only this account'),
];

/** What `--force` means, of whichever command. */
export const forceMeans =
  'ask a running instance to hand its state over, and take it away from one that does not';

/** From when on days are read, of whichever command moves a cursor. */
export const lookback =
  'the days after it are read and published again; of user_insights from POLLING_LOOKBACK (2 days) before it';

const writing = [
  option('--apply', 'write it; without, only what would change is shown'),
  option('--hand-over', 'have a running instance that owns the key hand it over for a moment'),
  option('--force', forceMeans),
  option('--json', 'print the plan as JSON, with whole states'),
];

/** The states lie in Kafka and need the registry; the other settings would only fill the help. */
const settings = /^(?:kafka|schema-registry|polling-instance)/;

/** `state` and its commands. */
export const stateCommands: CommandGroup = {
  usage: 'state',
  about: 'show and change what the program remembers of each stream and account',
  examples: ['state list', `state get ${one}`, 'state reset --help'],
  commands: [
    {
      usage: 'list',
      about: 'list the states: cursor, sequence, when and by whom',
      examples: ['list', 'list --stream user_insights --json'],
      options: [...narrowing, option('--json', 'print a JSON list')],
      exits: readingExits,
      settings,
      run: (given: Given<Options>) =>
        reading(given, (session) => listStates(session, given.options, isSet(given.options.json))),
    },
    {
      usage: 'get <key>',
      about: 'print one state, decoded',
      examples: [`get ${one}`, `get ${one} --json`],
      options: [option('--json', 'print all of it, long values too')],
      exits: readingExits,
      settings,
      run: (given) =>
        reading(given, (session) => getState(session, operand(given), isSet(given.options.json))),
    },
    {
      usage: 'export',
      about: 'print the states as JSON lines, for import',
      examples: ['export > state.jsonl', 'export --account 17841400000000001'],
      options: [...narrowing, option('--json', 'accepted as of the others: it is JSON anyway')],
      exits: readingExits,
      settings,
      run: (given: Given<Options>) =>
        reading(given, (session) => exportStates(session, given.options)),
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
      run(given: Given<WriteOptions & { readonly cursor: string }>) {
        const wanted = readSet(operand(given), given.options.cursor, Date.now());
        return changing(given, 'refuse', (session) =>
          planSet(session, wanted, authorOf(session, 'set')),
        );
      },
    },
    {
      usage: 'reset [keys...]',
      about: 'delete states: streams begin anew',
      examples: [
        `reset ${one}`,
        `reset ${one} --apply`,
        'reset --stream media_insights --apply',
        'reset --account 17841400000000001',
        'reset --all',
      ],
      options: [...narrowing, ...writing, option('--all', 'every state that is in the topic')],
      exits: writingExits,
      settings,
      run(given: Given<WriteOptions>) {
        const { stream, account, all } = given.options;
        const wanted = { keys: given.args, all: isSet(all), stream, account };
        return changing(given, 'refuse', (session) => planReset(session, wanted));
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
      run: (given: Given<WriteOptions>) => changing(given, 'refuse', planMove),
    },
    {
      usage: 'import <file>',
      about:
        "take over what `state export` has written, or Airbyte's state of source-instagram, whichever it is; - is standard input",
      examples: [
        'import state.jsonl',
        'import airbyte-state.json --apply',
        'import - < state.jsonl',
      ],
      options: writing,
      exits: writingExits,
      settings,
      async run(given: Given<WriteOptions>) {
        const text = await readInput(operand(given));
        const content = readImport(text, openStateForm(), Date.now());
        return await changing(given, isSet(given.options.apply) ? 'create' : 'empty', (session) =>
          planImport(session, content, authorOf(session, 'import')),
        );
      },
    },
  ] satisfies readonly CommandDefinition[],
};

function operand({ args }: Given): string {
  return args[0] ?? '';
}

function isSet(flag: boolean | undefined): boolean {
  return flag ?? false;
}

function authorOf(session: StateSession, command: string) {
  return { writtenBy: `state ${command} on ${session.instance}`, nowMs: Date.now() };
}

async function reading(given: Given, show: (session: StateSession) => string): Promise<0> {
  const config = loadCommandConfig(given.settings, ['kafka', 'registry']);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, 'refuse', stop.signal);
  process.stdout.write(show(session));
  return 0;
}

async function changing(
  given: Given<WriteOptions>,
  missing: Missing,
  plan: (session: StateSession) => Plan,
): Promise<0> {
  const config = loadCommandConfig(given.settings, ['kafka', 'registry']);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, missing, stop.signal);
  const { apply = false, handOver = false, force = false, json = false } = given.options;
  const how = { apply, asks: handOver || force, force, json };
  process.stdout.write(await carryOut(session, plan, how));
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
