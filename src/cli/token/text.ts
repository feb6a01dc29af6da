import type { Account } from '../../engine/account.ts';
import { advice } from '../../engine/advice.ts';
import { printable } from '../../engine/printable.ts';
import { daysLeft } from '../../engine/token-life.ts';
import type { InspectedToken } from '../../instagram/tokens/service.ts';
import type { TokenFacts } from '../../instagram/api/token-facts.ts';
import { asTable } from '../table.ts';

/** What was found of a token, with its name. */
export interface ShownToken extends InspectedToken {
  readonly name: string;
}

/** All that is known of each token, for machines. */
export function tokensJson(tokens: readonly ShownToken[]) {
  return tokens.map(asJson);
}

/** A token in a table, its troubles below. */
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
    // Null where Meta does not tell.
    told: facts === null ? null : toldJson(facts),
    missing_permissions: missing,
    accounts: accounts.map(({ id, username }) => ({ id, username })),
  };
}

function toldJson(facts: TokenFacts) {
  return {
    type: facts.type,
    app_id: facts.appId,
    user_id: facts.userId,
    issued_at: iso(facts.issuedAtMs),
    data_access_until: iso(facts.dataAccessUntilMs),
    scopes: facts.scopes,
  };
}

/** What became of a token that was made. */
export interface WrittenToken {
  readonly name: string;
  readonly file: string;
  readonly expiresAtMs: number | null;
}

/** The same for machines. */
export function grantedJson({ name, file, expiresAtMs }: WrittenToken) {
  return { name, file, expires_at: iso(expiresAtMs) };
}

/** One line of a token that was made and written. */
export function describeGranted({ name, file, expiresAtMs }: WrittenToken, nowMs: number): string {
  return `token ${name}: written to ${file}, ends ${until(expiresAtMs, nowMs)}\n`;
}

/** What a login brought. */
export interface LoggedIn extends WrittenToken {
  readonly accounts: readonly Account[];
  readonly missing: readonly string[];
}

/** The same for machines. */
export function loginJson({ accounts, missing, ...written }: LoggedIn) {
  const found = accounts.map(({ id, username }) => ({ id, username }));
  return { ...grantedJson(written), accounts: found, missing_permissions: missing };
}

/** Where the token of a login is, what it reaches and what was not consented to. */
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

/** `2027-01-25 (59 days)` */
function until(ms: number | null | undefined, nowMs: number): string {
  if (ms === undefined) return 'not known';
  if (ms === null) return 'never';
  const days = daysLeft(ms, nowMs);
  const left = days < 0 ? 'over' : days === 1 ? '1 day' : `${days} days`;
  return `${new Date(ms).toISOString().slice(0, 10)} (${left})`;
}
