import { largest } from '../engine/extremes.ts';
import { printable } from '../engine/printable.ts';
import { daysLeft } from '../engine/token-life.ts';

/** Formats rows in columns, each as wide as its widest cell; ends with a line break. */
export function asTable(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = (rows[0] ?? []).map((_, column) =>
    largest(rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return lines.map((line) => `${line.join('  ').trimEnd()}\n`).join('');
}

/** Formats a number with its noun, as `3 polls`. */
export function plural(number: number, noun: string, nouns = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : nouns}`;
}

/** Formats a time as ISO 8601; returns null for none. */
export function iso(ms: number | null | undefined): string | null {
  return ms == null ? null : new Date(ms).toISOString();
}

/** Formats the UTC date of a time, as `2026-11-30`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Formats an end date, as `2026-11-30 (3 days)`. */
export function dayAndDaysLeft(ms: number, nowMs: number): string {
  const days = daysLeft(ms, nowMs);
  return `${dayOf(ms)} (${days < 0 ? 'over' : plural(days, 'day')})`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** Formats milliseconds as the configuration does: in the largest unit without a remainder. */
export function durationText(ms: number): string {
  const found = units.find(([, unitMs]) => ms >= unitMs && ms % unitMs === 0);
  return found === undefined ? `${ms}ms` : `${ms / found[1]}${found[0]}`;
}

/** Formats seconds for a person: in the largest unit of which there are two. */
export function roughDuration(seconds: number): string {
  const ms = seconds * 1000;
  const [name, unitMs] = units.find((unit) => ms >= 2 * unit[1]) ?? ['s', 1000];
  return `${Math.floor(ms / unitMs)}${name}`;
}

export interface Style {
  /** True on a terminal, where progress is worth writing. */
  readonly isLive: boolean;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

const plain = (text: string): string => text;
const ansi = (code: number) => (text: string) => `\u001B[${code}m${text}\u001B[0m`;

/**
 * Returns colours for a terminal, and plain text elsewhere or when `NO_COLOR` is set to anything.
 * @see https://no-color.org
 */
export function styleFor(
  { isTTY = false }: { readonly isTTY?: boolean },
  env: NodeJS.ProcessEnv,
): Style {
  const coloured = isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  if (!coloured) return { isLive: isTTY, good: plain, bad: plain, dim: plain };
  return { isLive: true, good: ansi(32), bad: ansi(31), dim: ansi(2) };
}
