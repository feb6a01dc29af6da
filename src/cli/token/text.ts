import type { Account } from '../../engine/account.ts';
import { advice } from '../../engine/advice.ts';
import { printable } from '../../engine/printable.ts';
import type { InspectedToken } from '../../instagram/tokens/service.ts';
import type { Printed } from '../command.ts';
import { asTable, dayAndDaysLeft, iso } from '../text.ts';

export interface ShownToken extends InspectedToken {
  readonly name: string;
}

/** Formats each token as a row of a table, its errors below. */
export function describeTokens(tokens: readonly ShownToken[], nowMs: number): Printed {
  const rows = tokens.map(({ name, isValid, facts, expiresAtMs, accounts }) => [
    name,
    isValid ? 'yes' : 'no',
    facts?.type?.toLowerCase() ?? '-',
    isValid || expiresAtMs !== undefined ? until(expiresAtMs, nowMs) : 'rejected',
    facts === null || !isValid ? '-' : until(facts.dataAccessUntilMs, nowMs),
    String(accounts.length),
  ]);
  const header = ['TOKEN', 'TAKEN', 'TYPE', 'EXPIRES', 'DATA ACCESS UNTIL', 'ACCOUNTS'];
  return {
    text: () => [asTable([header, ...rows]), ...tokens.map(details)].join(''),
    json: () => tokens.map(tokenJson),
  };
}

function details({ name, reason, code, missing, accounts, facts }: ShownToken): string {
  const lines = accounts.map((account) => `reaches ${nameOf(account)}`);
  if (facts?.application != null) {
    lines.push(`of the app ${facts.application} (${facts.appId ?? '-'})`);
  }
  if (missing !== null && missing.length > 0) lines.push(`lacks ${missing.join(', ')}`);
  if (code !== null) lines.push(`${code}: ${reason ?? 'rejected'}`, `what to do: ${advice[code]}`);
  return lines.map((line) => `${name}: ${printable(line)}\n`).join('');
}

function nameOf({ id, username }: Account): string {
  return username === null ? id : `${id} (${username})`;
}

function tokenJson(token: ShownToken) {
  const { name, isValid, reason, code, facts, expiresAtMs, accounts, missing } = token;
  return {
    name,
    valid: isValid,
    reason,
    code,
    expires_at: iso(expiresAtMs),
    never_expires: expiresAtMs === null,
    // Null where Meta does not report it.
    reported: facts && {
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

export function describeGranted(written: WrittenToken, nowMs: number): Printed {
  const { name, file, expiresAtMs } = written;
  return {
    text: () => `token ${name}: written to ${file}, ends ${until(expiresAtMs, nowMs)}\n`,
    json: () => grantedJson(written),
  };
}

function grantedJson({ name, file, expiresAtMs }: WrittenToken) {
  return { name, file, expires_at: iso(expiresAtMs) };
}

export function describeLogin(
  written: WrittenToken,
  { accounts, missing }: Pick<InspectedToken, 'accounts' | 'missing'>,
  nowMs: number,
): Printed {
  const lacking = missing ?? [];
  const lines = [
    `logged in: the token is in ${written.file}, ends ${until(written.expiresAtMs, nowMs)}`,
    accounts.length === 0
      ? 'it reaches no professional account: see docs/instagram-setup.md'
      : `it reaches ${accounts.map(nameOf).join(', ')}`,
  ];
  if (lacking.length > 0) lines.push(`it lacks ${lacking.join(', ')}: log in again and consent`);
  const found = accounts.map(({ id, username }) => ({ id, username }));
  return {
    text: () => `${lines.map(printable).join('\n')}\n`,
    json: () => ({ ...grantedJson(written), accounts: found, missing_permissions: lacking }),
  };
}

/** Formats an end date, as `2027-01-25 (59 days)`. */
function until(ms: number | null | undefined, nowMs: number): string {
  if (ms === undefined) return 'not known';
  return ms === null ? 'never' : dayAndDaysLeft(ms, nowMs);
}
