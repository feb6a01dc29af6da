import type { Account, AccountPolling, PollingChoice } from '../engine/account.ts';
import { nearestName } from '../engine/nearest-name.ts';
import { publicStreams } from './streams/index.ts';

/** The accounts to poll, each by its id, or by `@` and its user name in lower case. */
export interface AccountChoice {
  /** Empty for all that a token reaches. */
  readonly accounts: readonly string[];
  readonly accountsExclude: readonly string[];
  readonly accountPolling: PollingChoice;
  /** The names of these settings in the sources that set them; by default the variables. */
  readonly settingNames?: SettingNames;
}

type SettingNames = Readonly<Record<'accounts' | 'accountsExclude' | 'accountSettings', string>>;

const variables: SettingNames = {
  accounts: 'INSTAGRAM_ACCOUNTS',
  accountsExclude: 'INSTAGRAM_ACCOUNTS_EXCLUDE',
  accountSettings: 'INSTAGRAM_ACCOUNT_SETTINGS',
};

export function settingNamesOf({ settingNames = variables }: AccountChoice): SettingNames {
  return settingNames;
}

/** The accounts of a listing that are polled, and the names that do not fit it. */
interface ChosenAccounts {
  readonly accounts: readonly Account[];
  /** The entries of `accounts` that no token reaches. */
  readonly missing: readonly string[];
  /** Descriptions of names without effect. */
  readonly warnings: readonly string[];
}

export function isId(name: string): boolean {
  return !name.startsWith('@');
}

/** Keeps the chosen accounts of a listing; an excluded account is never kept. */
export function chooseAccounts(found: readonly Account[], choice: AccountChoice): ChosenAccounts {
  const { accounts: listed, accountsExclude, accountPolling } = choice;
  const named = new Set(found.flatMap(namesOf));
  const isOf = (names: readonly string[]) => (account: Account) =>
    namesOf(account).some((name) => names.includes(name));
  const excluded = found.filter(isOf(accountsExclude));
  const chosen = listed.length === 0 ? found : found.filter(isOf(listed));
  const kept = chosen.filter((account) => !excluded.includes(account));
  const configured = Object.keys(accountPolling.byAccount);
  const names = settingNamesOf(choice);
  return {
    accounts: withOneReader(
      kept.map((account) => withPolling(account, accountPolling)),
      accountPolling.others,
    ),
    missing: listed.filter((name) => !named.has(name)),
    warnings: [
      ...unusedNames(
        `${names.accountsExclude} has no effect for`,
        { names: accountsExclude, known: found },
        'no token reaches such an account',
      ),
      ...unusedNames(
        `${names.accountSettings} has no effect for`,
        { names: configured, known: kept },
        'no such account is polled',
      ),
      ...(listed.length === 0
        ? []
        : chosen
            .filter((one) => excluded.includes(one))
            .map((account) => describeConflict(account, names))),
    ],
  };
}

/** The names that stand for an account. */
function namesOf({ id, username }: Account): readonly string[] {
  return username === null ? [id] : [id, `@${username.toLowerCase()}`];
}

/** Adds the streams and intervals of an account where any account has its own. */
function withPolling(account: Account, { byAccount, others }: PollingChoice): Account {
  if (Object.keys(byAccount).length === 0) return account;
  const own = namesOf(account).flatMap((name) => byAccount[name] ?? []);
  return { ...account, polling: own[0] ?? others };
}

/**
 * Leaves each stream of public content to one account, because the lists are the same for all: the
 * lowest id of the accounts that have the stream.
 */
function withOneReader(accounts: readonly Account[], others: AccountPolling): readonly Account[] {
  const streamsOf = ({ polling = others }: Account): readonly string[] => polling.streams;
  const readers = new Map<string, string | undefined>(
    publicStreams.map((stream) => {
      const ids = accounts.filter((one) => streamsOf(one).includes(stream)).map(({ id }) => id);
      return [stream, ids.toSorted(byNumber)[0]];
    }),
  );
  return accounts.map((account) => {
    const { id, polling = others } = account;
    const isLeft = (stream: string) => !readers.has(stream) || readers.get(stream) === id;
    return polling.streams.every(isLeft)
      ? account
      : { ...account, polling: { ...polling, streams: polling.streams.filter(isLeft) } };
  });
}

/** Compares ids of digits as numbers. */
function byNumber(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

function unusedNames(
  claim: string,
  { names, known }: { readonly names: readonly string[]; readonly known: readonly Account[] },
  reason: string,
): readonly string[] {
  const used = new Set(known.flatMap(namesOf));
  const unused = names.filter((name) => !used.has(name));
  if (unused.length === 0) return [];
  return [
    `${claim} ${unused.join(', ')}: ${reason}; correct or remove it${suggestions(unused, known)}`,
  ];
}

function describeConflict(
  { id, username }: Account,
  { accounts, accountsExclude }: SettingNames,
): string {
  const name = username === null ? id : `${id} (${username})`;
  return `account ${name}: named by both ${accounts} and ${accountsExclude}, and not polled: remove it from one of the two`;
}

/** Returns the nearest of the reached user names for each name that is none of them. */
export function suggestions(missing: readonly string[], reached: readonly Account[]): string {
  const known = reached.flatMap(namesOf).filter((name) => !isId(name));
  const near = missing.flatMap((name) => {
    const nearest = isId(name) ? undefined : nearestName(name, known);
    return nearest === undefined ? [] : [`did you mean ${nearest} for ${name}?`];
  });
  return near.map((text) => `; ${text}`).join('');
}

/** Describes the entries of `accounts` that no token reaches. */
export function describeMissing(
  choice: AccountChoice,
  missing: readonly string[],
  found: readonly Account[],
): readonly string[] {
  if (missing.length === 0) return [];
  const near = suggestions(missing, found);
  return [
    `${settingNamesOf(choice).accounts} names ${missing.join(', ')}, which no token reaches: correct it, or give the token's user a role on the account${near}`,
  ];
}
