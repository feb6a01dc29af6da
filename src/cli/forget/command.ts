import type { ExitCode } from '../../engine/errors.ts';
import { accountIds, type CommandDefinition, type Invocation, print, usage } from '../command.ts';
import { type ApplyOptions, carryOut } from '../state/apply.ts';
import { forceMeans } from '../state/command.ts';
import { openStateSession, type StateSession } from '../state/session.ts';
import { asTable } from '../text.ts';
import { type PersonOptions, readPerson } from './person.ts';
import { listSuppressions, planForget, planUndo } from './plan.ts';
import { searchedRoles } from './search.ts';

interface ForgetOptions extends ApplyOptions, PersonOptions {
  readonly account?: readonly string[];
  readonly undo?: boolean;
  readonly list?: boolean;
}

export const forgetCommand: CommandDefinition = {
  usage: 'forget',
  about:
    "delete a person's comments and media from the topics by tombstones, and exclude the person from later polls",
  examples: [
    'forget --user ann.example',
    'forget --user ann.example --user-id 17850000000000001 --apply',
    'forget --user ann.example --apply --hand-over',
    'forget --user ann.example --undo --apply',
    'forget --list',
  ],
  exits: {
    0: 'written; without --apply, shown; also when nothing was found',
    2: 'bad configuration or usage, hashed names without FIELDS_HASH_SECRET, or a full suppression list; nothing was changed',
    3: 'Kafka or the registry rejected the request or is unavailable, or a running instance owns the account; nothing was changed',
  },
  options: [
    ['--user <name>', "the person's user name"],
    ['--user-id <id>', "the person's id, as in from.id of a comment"],
    [
      '--account <ids>',
      'only these accounts, separated by commas; without it, all with a state',
      accountIds,
    ],
    ['--undo', 'remove the person from the suppression lists'],
    ['--list', 'print the number of suppressed people of each account'],
    ['--apply', 'write the plan; without it, the plan is only shown'],
    ['--hand-over', 'have the instance that owns the account hand its partition over'],
    ['--force', forceMeans],
    ['--json', 'print the plan or the list as JSON'],
  ],
  settings: /^(?:kafka|schema-registry|polling-instance|fields|stream-.*-(?:exclude|mask|hash)$)/,
  run: forget,
};

async function forget({ options, settings }: Invocation<ForgetOptions>): Promise<ExitCode> {
  const { list = false, undo = false, account: accounts, json } = options;
  const isNamed = options.user !== undefined || options.userId !== undefined;
  if (list && (isNamed || undo)) throw usage('forget: expected --list alone, or a person');
  const names = list ? [] : readPerson(options);
  await using session = await openStateSession(settings, 'fail', searchedRoles);
  if (list) return printList(session, json);
  const writtenBy = `forget on ${session.instance}`;
  const plan = undo ? planUndo : planForget;
  const planNow = (current: StateSession) =>
    plan(current, { names, accounts }, { writtenBy, nowMs: Date.now() });
  return await carryOut(session, planNow, options);
}

function printList(session: StateSession, json: boolean | undefined): ExitCode {
  const rows = listSuppressions(session);
  const table = rows.map(({ account, people, entries, written_at }) => [
    account,
    String(people),
    String(entries),
    written_at ?? '-',
  ]);
  const header = ['ACCOUNT', 'PEOPLE', 'ENTRIES', 'WRITTEN AT'];
  print(json, { text: () => asTable([header, ...table]), json: () => rows });
  return 0;
}
