import type { Account } from '../../engine/account.ts';
import { advice } from '../../engine/advice.ts';
import { printable } from '../../engine/printable.ts';
import { daysLeft } from '../../engine/token-life.ts';
import type { InspectedToken } from '../../instagram/tokens/service.ts';
import type { TokenFacts } from '../../instagram/api/oauth.ts';
import { asTable } from '../table.ts';

/** The inspection result of a token, with its name. */
export interface ShownToken extends InspectedToken {
  readonly name: string;
}

/** Formats the inspection results as JSON. */
export function tokensJson(tokens: readonly ShownToken[]) {
  return tokens.map(asJson);
}

/** Formats each token as a row of a table, its errors below. */
export function describeTokens(tokens: readonly ShownToken[], nowMs: number): string {
  const rows = tokens.map((token) => [
    token.name,
    token.isValid ? 'yes' : 'no',
    token.facts?.type?.toLowerCase() ?? '-',
    token.isValid || token.expiresAtMs !== undefined ? until(token.expiresAtMs, nowMs) : 'refused',
    token.facts === null || !token.isValid ? '-' : until(token.facts.dataAccessUntilMs, nowMs),
    String(token.accounts.length),
  ]);
  const table = asTable([
    ['TOKEN', 'TAKEN', 'TYPE', 'EXPIRES', 'DATA ACCESS UNTIL', 'ACCOUNTS'],
    ...rows,
  ]);
  return [table, ...tokens.map(details)].join('');
}

function details({ name, reason, code, missing, accounts, facts }: ShownToken): string {
  const lines = [
    ...accounts.map(
      ({ id, username }) => `reaches ${id}${username === null ? '' : ` (${username})`}`,
    ),
    ...(facts?.application == null
      ? []
      : [`of the app ${facts.application} (${facts.appId ?? '-'})`]),
    ...(missing === null || missing.length === 0 ? [] : [`lacks ${missing.join(', ')}`]),
    ...(code === null ? [] : [`${code}: ${reason ?? 'refused'}`, `what to do: ${advice[code]}`]),
  ];
  return lines.map((line) => `${name}: ${printable(line)}\n`).join('');
}

function asJson({
  name,
  isValid,
  reason,
  code,
  facts,
  expiresAtMs,
  accounts,
  missing,
}: ShownToken) {
  return {
    name,
    valid: isValid,
    reason,
    code,
    expires_at: iso(expiresAtMs),
    never_expires: expiresAtMs === null,
    // Null where Meta does not report it.
    told: facts === null ? null : factsJson(facts),
    missing_permissions: missing,
    accounts: accounts.map(({ id, username }) => ({ id, username })),
  };
}

function factsJson(facts: TokenFacts) {
  return {
    type: facts.type,
    app_id: facts.appId,
    user_id: facts.userId,
    issued_at: iso(facts.issuedAtMs),
    data_access_until: iso(facts.dataAccessUntilMs),
    scopes: facts.scopes,
  };
}

/** The result of a token exchange, refresh or login. */
export interface WrittenToken {
  readonly name: string;
  readonly file: string;
  readonly expiresAtMs: number | null;
}

/** Formats a written token as JSON. */
export function grantedJson({ name, file, expiresAtMs }: WrittenToken) {
  return { name, file, expires_at: iso(expiresAtMs) };
}

/** Formats a written token as one line. */
export function describeGranted({ name, file, expiresAtMs }: WrittenToken, nowMs: number): string {
  return `token ${name}: written to ${file}, ends ${until(expiresAtMs, nowMs)}\n`;
}

/** The result of a login. */
export interface LoggedIn extends WrittenToken {
  readonly accounts: readonly Account[];
  readonly missing: readonly string[];
}

/** Formats the result of a login as JSON. */
export function loginJson({ accounts, missing, ...written }: LoggedIn) {
  const found = accounts.map(({ id, username }) => ({ id, username }));
  return { ...grantedJson(written), accounts: found, missing_permissions: missing };
}

/** Formats the result of a login: the token's place, its accounts and the missing permissions. */
export function describeLogin(
  { file, expiresAtMs, accounts, missing }: LoggedIn,
  nowMs: number,
): string {
  const names = accounts.map(({ id, username }) =>
    username === null ? id : `${id} (${username})`,
  );
  const lines = [
    `logged in: the token is in ${file}, ends ${until(expiresAtMs, nowMs)}`,
    accounts.length === 0
      ? 'it reaches no professional account: see docs/instagram-setup.md'
      : `it reaches ${names.join(', ')}`,
    ...(missing.length === 0 ? [] : [`it lacks ${missing.join(', ')}: log in again and consent`]),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function iso(ms: number | null | undefined): string | null {
  return ms == null ? null : new Date(ms).toISOString();
}

/** Formats an end date, as `2027-01-25 (59 days)`. */
function until(ms: number | null | undefined, nowMs: number): string {
  if (ms === undefined) return 'not known';
  if (ms === null) return 'never';
  const days = daysLeft(ms, nowMs);
  const left = days < 0 ? 'over' : days === 1 ? '1 day' : `${days} days`;
  return `${new Date(ms).toISOString().slice(0, 10)} (${left})`;
}
