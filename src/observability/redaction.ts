import { type Redact, createRedact, mask } from '../engine/redaction.ts';

const deepest = 8;

/** Removes secrets from all output (Invariant 9). */
export interface Redactor {
  /**
   * The text with `[secret]` in place of every known secret and of everything that looks like one.
   */
  readonly text: Redact;
  /**
   * A plain, JSON-compatible copy, redacted at any depth; errors keep their stacks, causes and
   * fields.
   */
  readonly value: (value: unknown) => unknown;
  /** Adds secrets to be redacted from now on. */
  readonly hide: (secrets: readonly string[]) => void;
}

/** Names whose values are always secret. */
const secretName =
  /^(?:(?:proxy-)?authorization|cookie|set-cookie|password|token|(?:access|input)_?token|(?:client|app)_?secret|appsecret_proof)$/i;

/** Creates a redactor of the configured secrets; empty ones are ignored. */
export function createRedactor(secrets: readonly string[]): Redactor {
  let known = secrets;
  let redact = createRedact(known);
  const text: Redact = (words) => redact(words);
  return {
    text,
    value: (value) => copy(value, text, []),
    hide(further) {
      known = [...new Set([...known, ...further])];
      redact = createRedact(known);
    },
  };
}

/** @param above - the objects that contain this one, to detect cycles */
function copy(value: unknown, text: Redact, above: readonly object[]): unknown {
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' || typeof value === 'bigint') return copyNumber(value, text);
  if (typeof value === 'symbol' || typeof value === 'function') return `[${typeof value}]`;
  return typeof value === 'object' && value !== null ? copyObject(value, text, above) : value;
}

/** Keeps a number, unless its digits contain a secret. */
function copyNumber(value: number | bigint, text: Redact): unknown {
  const shown = text(String(value));
  return typeof value === 'number' && shown === String(value) ? value : shown;
}

function copyObject(value: object, text: Redact, above: readonly object[]): unknown {
  if (above.includes(value)) return '[circular]';
  if (above.length >= deepest) return '[too deep]';
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return text(value.href);
  const path = [...above, value];
  if (Array.isArray(value) || value instanceof Set) {
    return Array.from(value as Iterable<unknown>, (item) => copy(item, text, path));
  }
  const entries = Array.from(entriesOf(value), ([name, item]) => {
    const hidden = secretName.test(name) && item !== null && item !== undefined;
    return [text(name), hidden ? mask : copy(item, text, path)] as const;
  });
  return Object.fromEntries(entries);
}

function entriesOf(value: object): Iterable<readonly [string, unknown]> {
  if (isError(value)) return errorEntries(value);
  // Maps, and classes with the same entries: Headers, URLSearchParams.
  if (value instanceof Map || value instanceof Headers || value instanceof URLSearchParams) {
    return Array.from(value as Iterable<readonly [unknown, unknown]>, ([name, item]) => [
      String(name),
      item,
    ]);
  }
  return Object.entries(value);
}

/**
 * True also for errors of another realm and for DOMException, with which an aborted fetch rejects.
 */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
}

/** The members that are copied by name, because they are usually not enumerable. */
const ownMembers = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** The members of an error, including those that JSON drops: name, message, stack and cause. */
function errorEntries(error: Error): (readonly [string, unknown])[] {
  const entries: (readonly [string, unknown])[] = [
    ['name', error.name],
    ['message', error.message],
    ['stack', error.stack],
    ...Object.entries(error).filter(([name]) => !ownMembers.has(name)),
  ];
  if (error.cause !== undefined) entries.push(['cause', error.cause]);
  if ('errors' in error) entries.push(['errors', error.errors]);
  return entries;
}
