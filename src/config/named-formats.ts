import {
  defaultStreamNames,
  streamNames,
  topicName,
  type StreamName,
} from '../engine/stream-name.ts';
import { choice, format, inMs, list, text, type Format, type Parsed } from './formats.ts';
import { readTextFile } from './text-file.ts';

/** A secret, and the file that it came from, to be read again; null when it was no file. */
export interface Secret {
  readonly text: string;
  readonly file: string | null;
}

/** A token or password; never shown. `pattern` says which characters it may have. */
export function secret(expected: string, pattern: RegExp): Format<Secret, ''> {
  const inner = format(expected, (raw) =>
    typeof raw === 'string' && pattern.test(raw) ? { text: raw, file: null } : undefined,
  );
  return { ...inner, secret: true };
}

/** One token or several, none of them shown: commas or line breaks stand between them. */
export function tokens(): Format<readonly string[], ''> {
  const expected = 'a token without spaces, or several separated by commas or line breaks';
  return {
    expected,
    secret: true,
    unit: '',
    parse: (raw): Parsed<readonly string[]> => {
      const texts = Array.isArray(raw) ? (raw as readonly unknown[]) : [raw];
      const found = texts.flatMap((one): readonly unknown[] =>
        typeof one === 'string' ? splitTokens(one) : [one],
      );
      const right = found.filter(isToken);
      const isRight = right.length > 0 && right.length === found.length;
      // A token that stands twice would be two, with one budget.
      const isUnique = new Set(right).size === right.length;
      return isRight && isUnique ? { ok: true, value: right } : { ok: false, expected };
    },
  };
}

/** The tokens in a text; undefined when it is not what `tokens` takes. */
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

/** Permissions; commas, or spaces as OAuth has it, stand between them. */
export function scopes(): Format<readonly string[], ''> {
  const expected = 'permissions of Meta separated by commas or spaces, such as instagram_basic';
  return format(expected, (raw) => {
    const found = typeof raw === 'string' ? raw.split(/[ ,]+/).filter(Boolean) : raw;
    return Array.isArray(found) && found.every(isScope) ? found : undefined;
  });
}

function isScope(raw: unknown): raw is string {
  return typeof raw === 'string' && /^[a-z]\w{0,99}$/.test(raw);
}

/** The oldest major version of the Graph API that Meta still serves (its changelog, read 2026-11). */
const oldestApiVersion = 21;

/** A version of the Graph API as paths name it; newer ones than this program knows are accepted. */
export function apiVersion(): Format<string, ''> {
  const expected = `a version of the Graph API from v${oldestApiVersion}.0 on, such as v26.0`;
  return format(expected, (raw) => {
    const major = typeof raw === 'string' ? /^v([1-9]\d{0,2})\.0$/.exec(raw) : null;
    return major !== null && Number(major[1]) >= oldestApiVersion ? major[0] : undefined;
  });
}

/** An http or https URL, as it is but for a slash at its end. */
export function url(): Format<string, ''> {
  return format(plainUrl, (raw) => (isPlainUrl(raw) ? raw.replace(/\/+$/, '') : undefined));
}

/** An http or https URL that is compared to the letter. */
export function exactUrl(): Format<string, ''> {
  return format(plainUrl, (raw) => (isPlainUrl(raw) ? raw : undefined));
}

const plainUrl = 'an http or https URL without user, password, query and fragment';

function isPlainUrl(raw: unknown): raw is string {
  const pattern = /^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#@\\]*)?$/;
  return typeof raw === 'string' && pattern.test(raw) && URL.canParse(raw);
}

/** A URL that a token or a secret is sent to: https, and http only where nobody else can listen. */
function publicUrl(): Format<string, ''> {
  return guarded('or http to this machine, its network or its cluster', isNear);
}

/** The same for an API whose version is a field of its own. */
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

/** The same for a secret that no network may see: http only on this machine. */
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
    // The platform writes 0x7f.1 and 2130706433 as 127.0.0.1, and ::ffff:a9fe:1 in one way, too.
    const { protocol, hostname } = new URL(parsed.value);
    if (isMetadata(hostname)) return undefined;
    return protocol === 'https:' || mayBePlain(hostname) ? parsed.value : undefined;
  });
}

/** Addresses at which clouds give out credentials: link-local ones, and those of AWS and Google beyond them. */
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

/** Private addresses, names of one word as compose gives them, and those of a cluster. */
function isNear(host: string): boolean {
  return (
    isLoopback(host) ||
    /^10\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^\[f[cd]/.test(host) ||
    /^[^.[]+$|\.(?:svc|local|internal|test)\.?$/.test(host)
  );
}

/** What a PEM file holds. */
const pemLabels = {
  certificate: { pattern: /-----BEGIN CERTIFICATE-----/, words: 'certificates' },
  key: { pattern: /-----BEGIN (?:\w+ )?PRIVATE KEY-----/, words: 'a private key' },
} as const;

/** The name of a PEM file that can be read and holds what it should. */
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

/** In the order of need, each once; an empty list is the default. */
function named(words: readonly (StreamName | 'default' | 'all')[]): readonly StreamName[] {
  const chosen = new Set<string>(words);
  const several: readonly StreamName[] = chosen.has('all')
    ? streamNames
    : words.length === 0 || chosen.has('default')
      ? defaultStreamNames
      : [];
  return streamNames.filter((name) => chosen.has(name) || several.includes(name));
}

/** Account ids. Texts, because as JSON numbers they are beyond 2^53 and would be rounded. */
export function accountIds(): Format<readonly string[], ''> {
  return list(text('an account id as a text of digits, such as "17841400000000000"', /^\d{1,25}$/));
}

const longestTopicName = 249;

/** A topic's name with `{stream}` in it. */
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

/** A calendar date or a UTC moment that has been, as epoch milliseconds. */
export function pastDate(): Format<number, 'Ms'> {
  const expected =
    'a real date that is not in the future, as 2026-01-31 (UTC) or 2026-01-31T12:00:00Z';
  return inMs(expected, (raw, nowMs) => {
    if (typeof raw !== 'string' || !/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(raw)) {
      return undefined;
    }
    const ms = Date.parse(raw);
    // Date.parse rolls 30 February over into March; a real date survives the way back.
    const real = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(raw.replace('Z', ''));
    return real && ms <= nowMs ? ms : undefined;
  });
}
