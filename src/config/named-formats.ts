import {
  defaultStreamNames,
  streamNames,
  topicName,
  type StreamName,
} from '../engine/stream-name.ts';
import { choice, format, inMs, list, text, type Format, type Parsed } from './formats.ts';
import { readTextFile } from './text-file.ts';

/** A secret and its file, for reading it again; null without a file. */
export interface Secret {
  readonly text: string;
  readonly file: string | null;
}

/** A token or password; never shown. `pattern` defines the allowed characters. */
export function secret(expected: string, pattern: RegExp): Format<Secret, ''> {
  const inner = format(expected, (raw) =>
    typeof raw === 'string' && pattern.test(raw) ? { text: raw, file: null } : undefined,
  );
  return { ...inner, secret: true };
}

/** One or more secret tokens, separated by commas or line breaks. */
export function tokens(): Format<readonly string[], ''> {
  const expected = 'a token without spaces, or several separated by commas or line breaks';
  return {
    expected,
    secret: true,
    unit: '',
    parse: (raw): Parsed<readonly string[]> => {
      const texts = Array.isArray(raw) ? (raw as readonly unknown[]) : [raw];
      const entries = texts.flatMap((one): readonly unknown[] =>
        typeof one === 'string' ? splitTokens(one) : [one],
      );
      const valid = entries.filter(isToken);
      const isValid = valid.length > 0 && valid.length === entries.length;
      // A duplicate token would count as two tokens with one quota.
      const isUnique = new Set(valid).size === valid.length;
      return isValid && isUnique ? { ok: true, value: valid } : { ok: false, expected };
    },
  };
}

/** Parses tokens; undefined when `tokens` would reject the text. */
export function parseTokens(text: string): readonly string[] | undefined {
  const parsed = tokens().parse(text, 0);
  return parsed.ok ? parsed.value : undefined;
}

function splitTokens(text: string): readonly string[] {
  return text
    .split(/[,\r\n]/)
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

function isToken(token: unknown): token is string {
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token);
}

/** Permissions, separated by commas, or by spaces as in OAuth. */
export function scopes(): Format<readonly string[], ''> {
  const expected = 'permissions of Meta separated by commas or spaces, such as instagram_basic';
  return format(expected, (raw) => {
    const entries = typeof raw === 'string' ? raw.split(/[ ,]+/).filter(Boolean) : raw;
    return Array.isArray(entries) && entries.every(isScope) ? entries : undefined;
  });
}

function isScope(raw: unknown): raw is string {
  return typeof raw === 'string' && /^[a-z]\w{0,99}$/.test(raw);
}

/** The oldest major version of the Graph API that Meta still serves (its changelog, read 2026-11). */
const oldestApiVersion = 21;

/** A version of the Graph API as in its paths; versions newer than this program are accepted. */
export function apiVersion(): Format<string, ''> {
  const expected = `a version of the Graph API from v${oldestApiVersion}.0 on, such as v26.0`;
  return format(expected, (raw) => {
    const major = typeof raw === 'string' ? /^v([1-9]\d{0,2})\.0$/.exec(raw) : null;
    return major !== null && Number(major[1]) >= oldestApiVersion ? major[0] : undefined;
  });
}

/** An http or https URL; a slash at its end is removed. */
export function url(): Format<string, ''> {
  return format(plainUrl, (raw) => (isPlainUrl(raw) ? raw.replace(/\/+$/, '') : undefined));
}

/** An http or https URL that is compared exactly. */
export function exactUrl(): Format<string, ''> {
  return format(plainUrl, (raw) => (isPlainUrl(raw) ? raw : undefined));
}

const plainUrl = 'an http or https URL without user, password, query and fragment';

function isPlainUrl(raw: unknown): raw is string {
  const pattern = /^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#@\\]*)?$/;
  return typeof raw === 'string' && pattern.test(raw) && URL.canParse(raw);
}

/** A URL that receives a token or secret: https, or http to this machine, its network or its cluster. */
function publicUrl(): Format<string, ''> {
  return guarded('or http to this machine, its network or its cluster', isNear);
}

/** The same format for an API whose version is a field of its own. */
export function apiUrl(): Format<string, ''> {
  const inner = publicUrl();
  const expected = `${inner.expected}; without the version, which INSTAGRAM_API_VERSION says`;
  return format(expected, (raw, nowMs) => {
    const parsed = inner.parse(raw, nowMs);
    if (!parsed.ok || /\/v\d+(?:\.\d+)?\/*$/i.test(new URL(parsed.value).pathname))
      return undefined;
    return parsed.value;
  });
}

/** The same format for a secret that must not cross a network: http only on this machine. */
export function httpsUrl(): Format<string, ''> {
  return guarded('or http to this machine', isLoopback);
}

function guarded(orHttp: string, mayBePlain: (host: string) => boolean): Format<string, ''> {
  const inner = url();
  const expected =
    `an https URL, ${orHttp}, without user, password, query and fragment; ` +
    'not an address where clouds give out credentials, such as a link-local one';
  return format(expected, (raw, nowMs) => {
    const parsed = inner.parse(raw, nowMs);
    if (!parsed.ok) return undefined;
    // `URL` normalizes 0x7f.1 and 2130706433 to 127.0.0.1, and the spellings of ::ffff:a9fe:1 to
    // one.
    const { protocol, hostname } = new URL(parsed.value);
    if (isMetadata(hostname)) return undefined;
    return protocol === 'https:' || mayBePlain(hostname) ? parsed.value : undefined;
  });
}

/**
 * True for addresses of cloud metadata services: link-local ones, and separate ones of AWS and
 * Google.
 */
function isMetadata(host: string): boolean {
  return (
    /^169\.254\.|^\[fe[89ab]|^\[::ffff:a9fe:|^metadata\.google\.internal\.?$/.test(host) ||
    host === '[fd00:ec2::254]' ||
    host === '[fd20:ce::254]'
  );
}

function isLoopback(host: string): boolean {
  return /^127\.|^\[::1\]$|^(?:.+\.)?localhost\.?$/.test(host);
}

/** True for private addresses, one-word names as in Compose, and names of a cluster. */
function isNear(host: string): boolean {
  return (
    isLoopback(host) ||
    /^10\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^\[f[cd]/.test(host) ||
    /^[^.[]+$|\.(?:svc|local|internal|test)\.?$/.test(host)
  );
}

/** The labels of PEM files by their content. */
const pemLabels = {
  certificate: { pattern: /-----BEGIN CERTIFICATE-----/, words: 'certificates' },
  key: { pattern: /-----BEGIN (?:\w+ )?PRIVATE KEY-----/, words: 'a private key' },
} as const;

/** The name of a readable PEM file with the expected content. */
export function pemFile(kind: keyof typeof pemLabels): Format<string, ''> {
  const { pattern, words } = pemLabels[kind];
  return format(`the name of a PEM file that can be read and holds ${words}`, (raw) => {
    if (typeof raw !== 'string' || raw === '') return undefined;
    const content = readTextFile(raw);
    return content.ok && pattern.test(content.text) ? raw : undefined;
  });
}

/** Kafka's bootstrap servers. */
export function brokers(): Format<readonly string[], ''> {
  const broker = format('host:port, such as kafka-1:9092', (raw) => {
    const match =
      typeof raw === 'string'
        ? /^(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,4})$/.exec(raw)
        : null;
    return match !== null && Number(match[1]) <= 65_535 ? match[0] : undefined;
  });
  return list(broker, 1);
}

/** Names of streams; `default` and `all` stand for several. */
export function streams(): Format<readonly StreamName[], ''> {
  const names = list(choice([...streamNames, 'default', 'all']));
  return {
    ...names,
    parse: (raw, nowMs) => {
      const parsed = names.parse(raw, nowMs);
      return parsed.ok ? { ok: true, value: named(parsed.value) } : parsed;
    },
  };
}

/** The chosen streams in the order of `streamNames`, each once; empty selects the default streams. */
function named(words: readonly (StreamName | 'default' | 'all')[]): readonly StreamName[] {
  const chosen = new Set<string>(words);
  const several: readonly StreamName[] = chosen.has('all')
    ? streamNames
    : words.length === 0 || chosen.has('default')
      ? defaultStreamNames
      : [];
  return streamNames.filter((name) => chosen.has(name) || several.includes(name));
}

/** Account ids. They are texts, because JSON numbers beyond 2^53 would be rounded. */
export function accountIds(): Format<readonly string[], ''> {
  return list(text('an account id as a text of digits, such as "17841400000000000"', /^\d{1,25}$/));
}

const longestTopicName = 249;

/** A topic name that contains `{stream}`. */
export function topicTemplate(): Format<string, ''> {
  const expected =
    'a topic name with {stream} in it, of letters, digits, ".", "_" and "-", at most ' +
    `${longestTopicName} characters with the longest stream name, such as instagram.{stream}`;
  return format(expected, (raw) => {
    if (typeof raw !== 'string' || !raw.includes('{stream}')) return undefined;
    const longest = topicName(raw, 'user_lifetime_insights');
    return longest.length <= longestTopicName && /^[A-Za-z0-9._-]+$/.test(longest)
      ? raw
      : undefined;
  });
}

/** A calendar date or UTC time in the past, as epoch milliseconds. */
export function pastDate(): Format<number, 'Ms'> {
  const expected =
    'a real date that is not in the future, as 2026-01-31 (UTC) or 2026-01-31T12:00:00Z';
  return inMs(expected, (raw, nowMs) => {
    if (typeof raw !== 'string' || !/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(raw)) {
      return undefined;
    }
    const ms = Date.parse(raw);
    // `Date.parse` turns 30 February into a day in March; formatting the result again detects that.
    const real = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(raw.replace('Z', ''));
    return real && ms <= nowMs ? ms : undefined;
  });
}
