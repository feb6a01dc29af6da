import { isPolled } from '../../engine/account.ts';
import { advice } from '../../engine/advice.ts';
import type { ErrorCode } from '../../engine/errors.ts';
import { largest } from '../../engine/extremes.ts';
import type { StreamName } from '../../engine/stream-name.ts';
import { type AccountStatus, type ServiceHealth, emptyTally, isStop } from '../health.ts';

/** A condition that only a person can end. */
export interface Condition {
  /** The name of the condition, the same in every instance and after a restart. */
  readonly key: string;
  readonly kind: Kind;
  readonly severity: 'critical' | 'warning';
  readonly accountId: string | null;
  readonly username: string | null;
  readonly stream: StreamName | null;
  /** The token's name. */
  readonly token: string | null;
  readonly code: ErrorCode | null;
  /** The event, for a person. */
  readonly message: string;
  /** The next step, for a person. */
  readonly advice: string;
}

/** The first part of a condition's key; the rest names the account, stream, token, form or version. */
type Kind =
  | 'account-stopped'
  | 'stream-stopped'
  | 'dead-letters'
  | 'token-rejected'
  | 'token-expires'
  | 'api-form-rejected'
  | 'api-version-ends';

/** A condition of the topic that has begun and is not over. */
export interface OpenCondition extends Pick<
  Condition,
  'key' | 'accountId' | 'username' | 'stream' | 'token'
> {
  /** The kind, which a later version may have added. */
  readonly kind: string;
  /** When an instance found it, epoch milliseconds. */
  readonly sinceMs: number;
}

export interface ConditionSettings {
  /**
   * Milliseconds of polls without dead letters after which dead letters are over: longer than the
   * longest interval between two readings of a media.
   */
  readonly quietMs: number;
}

const noDetails = {
  accountId: null,
  username: null,
  stream: null,
  token: null,
  code: null,
} as const;

/** Returns the conditions that this instance finds, by key. */
export function findConditions(
  health: ServiceHealth,
  { quietMs }: ConditionSettings,
  nowMs: number,
): ReadonlyMap<string, Condition> {
  const found = [
    ...tokenConditions(health),
    ...formConditions(health),
    ...versionConditions(health),
  ];
  for (const [id, account] of health.accounts) {
    for (const one of accountConditions({ id, account, isQuiet })) {
      if (!isOfToken(one, account, health)) found.push(one);
    }
  }
  return new Map(found.map((one) => [one.key, one]));

  function isQuiet(deadLetterMs: number | null): boolean {
    return deadLetterMs === null || nowMs - deadLetterMs >= quietMs;
  }
}

/** True for an account that is stopped because its token is rejected, which is a condition itself. */
function isOfToken(
  { kind, code }: Condition,
  { token }: AccountStatus,
  { tokens }: ServiceHealth,
): boolean {
  const isRejected = (tokens.get(token)?.rejection ?? null) !== null;
  return kind === 'account-stopped' && code === 'graph.token' && isRejected;
}

interface PolledAccount {
  readonly id: string;
  readonly account: AccountStatus;
  readonly isQuiet: (deadLetterMs: number | null) => boolean;
}

function accountConditions({ id, account, isQuiet }: PolledAccount): readonly Condition[] {
  const { username, stopped } = account;
  const common = { ...noDetails, accountId: id, username } as const;
  const name = username === null ? id : `${username} (${id})`;
  const found: Condition[] = [];
  if (stopped !== null) {
    found.push({
      ...common,
      key: `account-stopped/${id}`,
      kind: 'account-stopped',
      severity: 'critical',
      code: stopped.code,
      message: `The account ${name} is not polled: ${stopped.message}`,
      advice: advice[stopped.code],
    });
  }
  for (const [stream, { error, deadLetterMs }] of Object.entries(account.streams)) {
    // The instance acquires a fenced partition again by itself.
    if (stopped === null && error !== null && isStop(error) && error.code !== 'kafka.fenced') {
      found.push({
        ...common,
        key: `stream-stopped/${stream}/${id}`,
        kind: 'stream-stopped',
        severity: 'critical',
        stream,
        code: error.code,
        message: `The stream ${stream} of the account ${name} is not polled: ${error.message}`,
        advice: advice[error.code],
      });
    }
    if (isQuiet(deadLetterMs)) continue;
    found.push({
      ...common,
      key: `dead-letters/${stream}/${id}`,
      kind: 'dead-letters',
      severity: 'warning',
      stream,
      message: `The stream ${stream} of the account ${name} has data that cannot be published.`,
      advice: `Look at the dead letters: instagram-kafka tail dead_letters --from-beginning --account ${id}`,
    });
  }
  return found;
}

function tokenConditions({ tokens }: ServiceHealth): readonly Condition[] {
  return [...tokens].flatMap(([token, { expiresAtMs, action, rejection }]): Condition[] => {
    const common = { ...noDetails, token } as const;
    const rejected = rejection && {
      ...common,
      key: `token-rejected/${token}`,
      kind: 'token-rejected' as const,
      severity: 'critical' as const,
      code: rejection.code,
      message: `The API rejects the token ${token}: ${rejection.message}`,
      advice: advice[rejection.code],
    };
    if (action === '' || expiresAtMs == null) return rejected === null ? [] : [rejected];
    const expires: Condition = {
      ...common,
      key: `token-expires/${token}`,
      kind: 'token-expires',
      severity: 'warning',
      message: `The token ${token} can be used until ${new Date(expiresAtMs).toISOString()}.`,
      advice: action,
    };
    return rejected === null ? [expires] : [rejected, expires];
  });
}

function formConditions({ forms }: ServiceHealth): readonly Condition[] {
  return forms
    .filter(({ outcome }) => outcome === 'rejected')
    .map(({ stream, endpoint, code, message }) => ({
      ...noDetails,
      key: formKey(stream, endpoint),
      kind: 'api-form-rejected',
      severity: 'warning',
      stream,
      code,
      message: `The API rejects the requests ${endpoint} of ${stream ?? 'all streams'}: ${message}`,
      advice: code === null ? advice['graph.retired'] : advice[code],
    }));
}

function formKey(stream: StreamName | null, endpoint: string): string {
  return `api-form-rejected/${stream ?? 'all'}/${endpoint}`;
}

function versionConditions({ apiVersion }: ServiceHealth): readonly Condition[] {
  if (apiVersion === null || apiVersion.warning === '') return [];
  const { version, warning } = apiVersion;
  return [
    {
      ...noDetails,
      key: `api-version-ends/${version}`,
      kind: 'api-version-ends',
      severity: 'warning',
      message: `The version of the Graph API needs attention: ${version}.`,
      advice: warning,
    },
  ];
}

/**
 * True when this instance has evidence from after the beginning of a condition that it is over, and
 * does not find it any more. Without evidence, as after a restart, it is false.
 */
export function isOver(
  open: OpenCondition,
  health: ServiceHealth,
  settings: ConditionSettings,
): boolean {
  if (open.stream !== null && !(open.stream in health.streams)) return true;
  return ends.get(open.kind)?.(open, health, settings) ?? false;
}

/** The evidence that ends a condition of each kind. */
const evidence: Readonly<Record<Kind, typeof isOver>> = {
  'account-stopped': ofAccount(({ sinceMs }, account) => lastSuccessMs(account) > sinceMs),
  'stream-stopped': ofAccount(({ stream, sinceMs }, { succeededAtMs }) => {
    return stream !== null && (succeededAtMs[stream] ?? 0) > sinceMs;
  }),
  'dead-letters': ofAccount(({ stream, sinceMs }, account, { quietMs }) => {
    const { polls, deadLetterMs } = account.streams[stream ?? ''] ?? emptyTally;
    // A poll of an earlier process may have met dead letters.
    const succeededMs = polls === 0 ? 0 : (account.succeededAtMs[stream ?? ''] ?? 0);
    return succeededMs >= Math.max(sinceMs, deadLetterMs ?? 0) + quietMs;
  }),
  'token-rejected': ({ token, sinceMs }, health) =>
    isListed(health, sinceMs) ||
    [...health.accounts.values()].some(
      (account) => account.token === token && lastSuccessMs(account) > sinceMs,
    ),
  'token-expires': ({ token, sinceMs }, health) => {
    const known = health.tokens.get(token ?? '');
    if (known !== undefined) return known.expiresAtMs !== undefined;
    // The token is not used any more.
    return health.tokens.size > 0 && isListed(health, sinceMs);
  },
  'api-form-rejected': ({ key, sinceMs }, { forms, probedAtMs }) =>
    probedAtMs > sinceMs &&
    forms.some((one) => formKey(one.stream, one.endpoint) === key && one.outcome === 'ok'),
  'api-version-ends': (_open, { apiVersion }) => apiVersion !== null,
};

/** A later version may have written other kinds. */
const ends: ReadonlyMap<string, typeof isOver> = new Map(Object.entries(evidence));

function ofAccount(
  isEnded: (open: OpenCondition, account: AccountStatus, settings: ConditionSettings) => boolean,
): typeof isOver {
  return (open, health, settings) => {
    const account = health.accounts.get(open.accountId ?? '');
    // No token reaches the account any more.
    if (account === undefined) return isListed(health, open.sinceMs);
    const isExcluded = open.stream !== null && !isPolled(account, open.stream);
    return isExcluded || isEnded(open, account, settings);
  };
}

/** True when the accounts of every token were listed since. */
function isListed({ dependencies, listedAtMs }: ServiceHealth, sinceMs: number): boolean {
  return dependencies.graph.ready && listedAtMs > sinceMs;
}

function lastSuccessMs({ succeededAtMs }: AccountStatus): number {
  return largest(Object.values(succeededAtMs), 0);
}
