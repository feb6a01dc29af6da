import type { Account } from '../../engine/account.ts';
import { advice } from '../../engine/advice.ts';
import { printable } from '../../engine/printable.ts';
import type { InspectedToken } from '../../instagram/tokens/service.ts';
import { asTable, dayAndDaysLeft } from '../text.ts';

/** The inspection result of a token, with its name. */
export interface ShownToken extends InspectedToken {
  readonly name: string;
}

/** Formats each token as a row of a table, its errors below. */
export function describeTokens(tokens: readonly ShownToken[], nowMs: number): string {
  const rows = tokens.map(({ name, isValid, facts, expiresAtMs, accounts }) => [
    name,
    isValid ? 'yes' : 'no',
    facts?.type?.toLowerCase() ?? '-',
    isValid || expiresAtMs !== undefined ? until(expiresAtMs, nowMs) : 'refused',
    facts === null || !isValid ? '-' : until(facts.dataAccessUntilMs, nowMs),
    String(accounts.length),
  ]);
  const header = ['TOKEN', 'TAKEN', 'TYPE', 'EXPIRES', 'DATA ACCESS UNTIL', 'ACCOUNTS'];
  return [asTable([header, ...rows]), ...tokens.map(details)].join('');
}

function details({ name, reason, code, missing, accounts, facts }: ShownToken): string {
  const lines = accounts.map((account) => `reaches ${nameOf(account)}`);
  if (facts?.application != null) {
    lines.push(`of the app ${facts.application} (${facts.appId ?? '-'})`);
  }
  if (missing !== null && missing.length > 0) lines.push(`lacks ${missing.join(', ')}`);
  if (code !== null) lines.push(`${code}: ${reason ?? 'refused'}`, `what to do: ${advice[code]}`);
  return lines.map((line) => `${name}: ${printable(line)}\n`).join('');
}

function nameOf({ id, username }: Account): string {
  return username === null ? id : `${id} (${username})`;
}

/** Formats an inspection result as JSON. */
export function tokenJson(token: ShownToken) {
  const { name, isValid, reason, code, facts, expiresAtMs, accounts, missing } = token;
  return {
    name,
    valid: isValid,
    reason,
    code,
    expires_at: iso(expiresAtMs),
    never_expires: expiresAtMs === null,
    // Null where Meta does not report it.
    told: facts && {
      type: facts.type,
      app_id: facts.appId,
      user_id: facts.userId,
      issued_at: iso(facts.issuedAtMs),
      data_access_until: iso(facts.dataAccessUntilMs),
      scopes: facts.scopes,
    },
    missing_permissions: missing,
    accounts: accounts.map(({ id, username }) => ({ id, username })),
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
  const lines = [
    `logged in: the token is in ${file}, ends ${until(expiresAtMs, nowMs)}`,
    accounts.length === 0
      ? 'it reaches no professional account: see docs/instagram-setup.md'
      : `it reaches ${accounts.map(nameOf).join(', ')}`,
  ];
  if (missing.length > 0) lines.push(`it lacks ${missing.join(', ')}: log in again and consent`);
  return `${lines.map(printable).join('\n')}\n`;
}

function iso(ms: number | null | undefined): string | null {
  return ms == null ? null : new Date(ms).toISOString();
}

/** Formats an end date, as `2027-01-25 (59 days)`. */
function until(ms: number | null | undefined, nowMs: number): string {
  if (ms === undefined) return 'not known';
  return ms === null ? 'never' : dayAndDaysLeft(ms, nowMs);
}
