/** The format of one field. Strict: it rounds, guesses and truncates nothing. */
export interface Format<T, Unit extends string = string> {
  /** The expected form for people, such as `a whole number from 1 to 100`. */
  readonly expected: string;
  /** True when the value must never be shown. */
  readonly secret: boolean;
  /** The suffix of the typed value's name, such as `Ms`; empty without a unit. */
  readonly unit: Unit;
  /**
   * The typed value; undefined for a value that it rejects. `raw` is a string from the environment,
   * an argument or the file, or a native JSON value of the file; null means "not set".
   */
  parse(raw: unknown, nowMs: number): T | undefined;
  /** The entries of a map, each of which a variable sets; absent for a field of one value. */
  readonly entries?: EntryFormat;
  /**
   * Returns the invalid parts of a JSON object; absent for a field that takes none. A variable has
   * the object as its text.
   */
  readonly flawsOf?: (raw: unknown) => readonly Flaw[];
}

/** An invalid part of a value. */
export interface Flaw {
  /** Its path within the value, such as `@name.intervals.media`. */
  readonly at: string;
  readonly received: string;
  readonly expected: string;
  readonly action: string;
}

/** The names of the entries of a map and the formats of their values. */
export interface EntryFormat {
  /** The word that stands for an entry in the name of the variable: `SETTING`. */
  readonly placeholder: string;
  /** The expected name for people. */
  readonly noun: string;
  readonly known: readonly string[];
  /** The name of an entry by the end of its variable's name. */
  nameOf(suffix: string): string;
  /** The format of an entry's value; undefined for an unknown name. */
  formatOf(name: string): Format<string> | undefined;
}

/** Creates a format of a value without a unit. */
export function format<T>(expected: string, parse: Format<T>['parse']): Format<T, ''> {
  return { expected, secret: false, unit: '', parse };
}

/** Creates a format of a number of milliseconds. */
export function inMs(expected: string, parse: Format<number>['parse']): Format<number, 'Ms'> {
  return { expected, secret: false, unit: 'Ms', parse };
}

/** A string that matches `pattern`, which must be anchored. */
export function text(expected: string, pattern: RegExp): Format<string, ''> {
  return format(expected, (raw) =>
    typeof raw === 'string' && pattern.test(raw) ? raw : undefined,
  );
}

/** One of the words, exactly. */
export function choice<const T extends string>(words: readonly T[]): Format<T, ''> {
  return format(`one of ${words.join(', ')}`, (raw) => words.find((word) => word === raw));
}

/** `true` or `false`, exactly. */
export const flag = format('true or false', (raw) => {
  if (raw === true || raw === 'true') return true;
  return raw === false || raw === 'false' ? false : undefined;
});

/** A whole number in plain digits; both limits are inclusive. */
export function integer(min: number, max: number): Format<number, ''> {
  return format(`a whole number from ${min} to ${max}`, (raw) => wholeNumber(raw, min, max));
}

/** A whole number from 1, or -1 for the broker's default. */
export function integerOrBroker(max: number): Format<number, ''> {
  const expected = `a whole number from 1 to ${max}, or -1 for the broker's default`;
  return format(expected, (raw) => wholeNumber(raw, -1, -1) ?? wholeNumber(raw, 1, max));
}

function wholeNumber(raw: unknown, min: number, max: number): number | undefined {
  const value = typeof raw === 'string' && /^(?:0|-?[1-9]\d*)$/.test(raw) ? Number(raw) : raw;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined;
  return value >= min && value <= max ? value : undefined;
}

/** A decimal fraction; both limits are inclusive. */
export function fraction(min: number, max: number): Format<number, ''> {
  return format(`a number from ${min} to ${max}, such as 0.1`, (raw) => {
    const value = typeof raw === 'string' && /^\d+(?:\.\d+)?$/.test(raw) ? Number(raw) : raw;
    return typeof value === 'number' && value >= min && value <= max ? value : undefined;
  });
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of `500ms`, `15s`, `15m`, `24h` or `7d`; undefined for anything else. */
export function parseDuration(raw: unknown): number | undefined {
  const match = typeof raw === 'string' ? /^([1-9]\d{0,11})(ms|s|m|h|d)$/.exec(raw) : null;
  if (match === null) return undefined;
  return Number(match[1]) * unitMs[match[2] as keyof typeof unitMs];
}

/**
 * A positive duration with a unit, in milliseconds; both limits are inclusive. The default maximum
 * is 24 days, because Node's timers take at most 2^31 - 1 ms and fire at once beyond it.
 */
export function duration(min = '1ms', max = '24d'): Format<number, 'Ms'> {
  const minMs = parseDuration(min) ?? 1;
  const maxMs = parseDuration(max) ?? Infinity;
  const expected = `a duration from ${min} to ${max}, a number with its unit (ms, s, m, h, d)`;
  return inMs(expected, (raw) => {
    const ms = parseDuration(raw);
    return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined;
  });
}

/**
 * A comma-separated string or a JSON list of strings. Entries are trimmed and must not be empty. An
 * empty string is the empty list, if `atLeast` is 0.
 */
export function list<T>(entry: Format<T>, atLeast: 0 | 1 = 0): Format<readonly T[], ''> {
  const entries = atLeast === 1 ? 'one or more entries' : 'entries';
  const expected = `a comma separated list of ${entries}, none empty, each ${entry.expected}`;
  return format(expected, (raw, nowMs) => {
    const values = splitList(raw)?.map((part) => entry.parse(part, nowMs)) ?? [undefined];
    const valid = values.filter((value) => value !== undefined);
    return valid.length === values.length && valid.length >= atLeast ? valid : undefined;
  });
}

function splitList(raw: unknown): readonly unknown[] | undefined {
  if (raw === '') return [];
  if (typeof raw === 'string') return raw.split(',').map((entry) => entry.trim());
  return Array.isArray(raw) ? raw : undefined;
}

/** `inner`, or null when the field is not set. An empty string is "not set", except for a secret. */
export function optional<T, Unit extends string>(inner: Format<T, Unit>): Format<T | null, Unit> {
  return {
    ...inner,
    parse: (raw, nowMs) =>
      raw === null || (raw === '' && !inner.secret) ? null : inner.parse(raw, nowMs),
  };
}

/** True for an object of a JSON text or of the configuration file. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
