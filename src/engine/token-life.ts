/** When a token ends, and when it was made, as far as that is known. */
export interface TokenLife {
  /** Epoch milliseconds; null when it is not known. */
  readonly issuedAtMs: number | null;
  /** Epoch milliseconds; null for never. */
  readonly expiresAtMs: number | null;
  /** Until when it reaches data, if its user does not log in again; null for always. */
  readonly dataAccessUntilMs: number | null;
}

const dayMs = 86_400_000;

/** Days before its end at which a person is warned of a token, each once; 0 is the end itself. */
const warningDays = [14, 7, 1, 0] as const;

/** A step of the warnings: so many days or fewer are left. */
export type WarningDays = (typeof warningDays)[number];

/**
 * Tokens are renewed when fewer days are left: before the first warning, so that a renewal that works
 * is never warned of, and early enough that one that fails for days does no harm.
 */
const renewalDays = 20;

/** When it is of no use any more: its own end, or that of its user's consent to reading data. */
export function endOf({ expiresAtMs, dataAccessUntilMs }: TokenLife): number | null {
  const endMs = Math.min(expiresAtMs ?? Infinity, dataAccessUntilMs ?? Infinity);
  return endMs === Infinity ? null : endMs;
}

/** The narrowest step of the warnings that is reached; null for none. */
export function warningOf(endMs: number | null, nowMs: number): WarningDays | null {
  if (endMs === null) return null;
  const reached = warningDays.filter((days) => endMs - nowMs <= days * dayMs);
  return reached.at(-1) ?? null;
}

/** Whether it is time for another token: this one can still be exchanged, but not for long. */
export function isRenewalDue({ expiresAtMs }: TokenLife, nowMs: number): boolean {
  if (expiresAtMs === null || expiresAtMs <= nowMs) return false;
  return expiresAtMs - nowMs <= renewalDays * dayMs;
}

/** Whether a renewed token ends so much later that the renewal was one. */
export function isLonger(renewedEndMs: number | null, endMs: number | null): boolean {
  if (renewedEndMs === null || endMs === null) return renewedEndMs === null && endMs !== null;
  return renewedEndMs - endMs >= dayMs / 24;
}

/** Days that are left, begun ones not counted; negative once it has ended. */
export function daysLeft(endMs: number, nowMs: number): number {
  return Math.floor((endMs - nowMs) / dayMs);
}
