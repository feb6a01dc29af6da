import { readFileSync } from 'node:fs';
import { text as readStream } from 'node:stream/consumers';
import { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { StopProcessError } from '../../core/errors.ts';
import type { ExitCode } from '../../core/errors.ts';
import type { Exits } from '../exit-codes.ts';
import { stoppable } from '../exit-codes.ts';
import { loadOfflineConfig } from '../load.ts';
import { addCommandGroup, addOwnCommand, settingsOf } from '../own-options.ts';
import { listenForStop } from '../stop-signals.ts';
import { carryOut } from './apply.ts';
import { readImport } from './import-file.ts';
import { openStateForm } from '../../registry/open.ts';
import { planImport, planReset, planSet, readSet } from './plan.ts';
import { planMove } from './plan-move.ts';
import type { Plan } from './plan.ts';
import type { Missing, StateSession } from './session.ts';
import { openStateSession } from './session.ts';
import { exportStates, getState, listStates } from './show.ts';

/** What the commands' own options come to; those of the configuration stand beside them. */
interface Given {
  readonly stream?: string;
  readonly account?: string;
  readonly cursor?: string;
  readonly json?: boolean;
  readonly apply?: boolean;
  readonly handOver?: boolean;
  readonly force?: boolean;
  readonly all?: boolean;
}

type Options = Given & Readonly<Record<string, string | boolean | undefined>>;

const ownOptions = ['stream', 'account', 'cursor', 'json', 'apply', 'handOver', 'force', 'all'];

const one = 'user_insights/17841400000000001';

/** Adds `state` and its commands to the program. */
export function addStateCommand(root: Command, end: (code: ExitCode) => void): void {
  const state = addCommandGroup(root, {
    usage: 'state',
    about: 'show and change what the program remembers of each stream and account',
    examples: ['state list', `state get ${one}`, 'state reset --help'],
  });
  const add: Add = (usage, about, { lines, options, exits = readingExits }) =>
    addOwnCommand(state, { usage, about, examples: lines, options, exits, settings });
  const print = (text: string): void => {
    process.stdout.write(text);
    end(0);
  };
  addReading(add, print);
  addWriting(add, print);
}

interface Details {
  readonly lines: readonly string[];
  readonly options: (command: Command) => Command;
  readonly exits?: Exits;
}

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

type Add = (usage: string, about: string, details: Details) => Command;
type Print = (text: string) => void;

function addReading(add: Add, print: Print): void {
  add('list', 'list the states: cursor, sequence, when and by whom', {
    lines: ['list', 'list --stream user_insights --json'],
    options: (command) => narrowing(command).option('--json', 'print a JSON list'),
  }).action(async (options: Options) => {
    print(await reading(options, (session) => listStates(session, options, isSet(options.json))));
  });
  add('get <key>', 'print one state, decoded', {
    lines: [`get ${one}`, `get ${one} --json`],
    options: (command) => command.option('--json', 'print all of it, long values too'),
  }).action(async (key: string, options: Options) => {
    print(await reading(options, (session) => getState(session, key, isSet(options.json))));
  });
  add('export', 'print the states as JSON lines, for import', {
    lines: ['export > state.jsonl', 'export --account 17841400000000001'],
    options: (command) =>
      narrowing(command).option('--json', 'accepted as of the others: it is JSON anyway'),
  }).action(async (options: Options) => {
    print(await reading(options, (session) => exportStates(session, options)));
  });
}

function addWriting(add: Add, print: Print): void {
  const { set, reset, move, import: imported } = details;
  add('set <key>', "move a stream's cursor, forward or back", set).action(
    async (key: string, options: Options & { readonly cursor: string }) => {
      const wanted = readSet(key, options.cursor, Date.now());
      const plan = (session: StateSession) => planSet(session, wanted, authorOf(session, 'set'));
      print(await changing(options, 'refuse', plan));
    },
  );
  add('reset [keys...]', 'delete states: streams begin anew', reset).action(
    async (keys: readonly string[], options: Options) => {
      const { stream, account } = options;
      const wanted = { keys, all: isSet(options.all), stream, account };
      print(await changing(options, 'refuse', (session) => planReset(session, wanted)));
    },
  );
  add('move-partitions', moveAbout, move).action(async (options: Options) => {
    print(await changing(options, 'refuse', planMove));
  });
  add('import <file>', importAbout, imported).action(async (file: string, options: Options) => {
    const content = readImport(await readInput(file), openStateForm(), Date.now());
    const plan = (session: StateSession) =>
      planImport(session, content, authorOf(session, 'import'));
    print(await changing(options, isSet(options.apply) ? 'create' : 'empty', plan));
  });
}

const moveAbout =
  'move states to the partitions of their accounts, after partitions were added to the topic';

const importAbout =
  "take over what `state export` has written, or Airbyte's state of source-instagram, whichever it is; - is standard input";

const details = {
  set: {
    exits: writingExits,
    lines: [`set ${one} --cursor 2026-11-01`, `set ${one} --cursor 2026-11-01T07:00:00Z --apply`],
    options: (command) =>
      writing(command).requiredOption(
        '--cursor <date>',
        `a day (midnight UTC) or a time with its offset; ${lookback}`,
      ),
  },
  reset: {
    exits: writingExits,
    lines: [
      `reset ${one}`,
      `reset ${one} --apply`,
      'reset --stream media_insights --apply',
      'reset --account 17841400000000001',
      'reset --all',
    ],
    options: (command) =>
      writing(narrowing(command)).option('--all', 'every state that is in the topic'),
  },
  move: {
    exits: writingExits,
    lines: ['move-partitions', 'move-partitions --apply'],
    options: writing,
  },
  import: {
    exits: writingExits,
    lines: ['import state.jsonl', 'import airbyte-state.json --apply', 'import - < state.jsonl'],
    options: writing,
  },
} as const satisfies Readonly<Record<string, Details>>;

/** The states lie in Kafka and need the registry; the other settings would only fill the help. */
const settings = /^(?:kafka|schema-registry|polling-instance)/;

function narrowing(command: Command): Command {
  return command
    .option('--stream <name>', 'only this stream')
    .option('--account <id>', 'only this account');
}

/** What `--force` means, of whichever command. */
export const forceMeans =
  'ask a running instance to hand its state over, and take it away from one that does not';

/** From when on days are read, of whichever command moves a cursor. */
export const lookback =
  'the days after it are read and published again; of user_insights from POLLING_LOOKBACK (2 days) before it';

function writing(command: Command): Command {
  return command
    .option('--apply', 'write it; without, only what would change is shown')
    .option('--hand-over', 'have a running instance that owns the key hand it over for a moment')
    .option('--force', forceMeans)
    .option('--json', 'print the plan as JSON, with whole states');
}

function isSet(flag: boolean | undefined): boolean {
  return flag ?? false;
}

function authorOf(session: StateSession, command: string) {
  return { writtenBy: `state ${command} on ${session.instance}`, nowMs: Date.now() };
}

function configOf(options: Options): Config {
  return loadOfflineConfig(settingsOf(options, ownOptions));
}

async function reading(options: Options, show: (session: StateSession) => string): Promise<string> {
  const config = configOf(options);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, 'refuse', stop.signal);
  return show(session);
}

async function changing(
  options: Options,
  missing: Missing,
  plan: (session: StateSession) => Plan,
): Promise<string> {
  const config = configOf(options);
  using stop = listenForStop(config.polling.shutdownGraceMs);
  await using session = await openStateSession(config, missing, stop.signal);
  const { apply, handOver, force, json } = options;
  const asks = isSet(handOver) || isSet(force);
  const how = { apply: isSet(apply), asks, force: isSet(force), json: isSet(json) };
  return await carryOut(session, plan, how);
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
