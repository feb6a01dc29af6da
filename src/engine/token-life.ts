/** The validity of a token, as far as it is known. */
export interface TokenLife {
  /** Epoch milliseconds; null when it is not known. */
  readonly issuedAtMs: number | null;
  /** Epoch milliseconds; null for never. */
  readonly expiresAtMs: number | null;
  /** The end of its access to data, unless its user logs in again; null for never. */
  readonly dataAccessUntilMs: number | null;
}

const dayMs = 86_400_000;

/** Days before a token's end at which a warning is reported, each once; 0 is the end itself. */
const warningDays = [14, 7, 1, 0];

/** A token is renewed before the first warning, and early enough for days of failed attempts. */
const renewalDays = 20;

/** Returns the end of a token's use: its own end, or that of its user's consent to read data. */
export function endOf({ expiresAtMs, dataAccessUntilMs }: TokenLife): number | null {
  const endMs = Math.min(expiresAtMs ?? Infinity, dataAccessUntilMs ?? Infinity);
  return endMs === Infinity ? null : endMs;
}

/** Returns the last warning step that is reached; null for none. */
export function warningOf(endMs: number | null, nowMs: number): number | null {
  if (endMs === null) return null;
  return warningDays.findLast((days) => endMs - nowMs <= days * dayMs) ?? null;
}

/** True when a token should be renewed: it can still be exchanged, but ends soon. */
export function isRenewalDue({ expiresAtMs }: TokenLife, nowMs: number): boolean {
  if (expiresAtMs === null || expiresAtMs <= nowMs) return false;
  return expiresAtMs - nowMs <= renewalDays * dayMs;
}

/** True when a renewed token ends at least an hour later than the old one. */
export function isLonger(renewedEndMs: number | null, endMs: number | null): boolean {
  if (renewedEndMs === null || endMs === null) return renewedEndMs === null && endMs !== null;
  return renewedEndMs - endMs >= dayMs / 24;
}

/** Returns the whole days that are left; negative after the end. */
export function daysLeft(endMs: number, nowMs: number): number {
  return Math.floor((endMs - nowMs) / dayMs);
}
