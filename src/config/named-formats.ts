import { topicName } from '../engine/stream-name.ts';
import { streamNames } from '../instagram/streams/index.ts';
import { choice, format, inMs, list, text, type Format } from './formats.ts';
import { readTextFile } from './text-file.ts';

/** A secret and its file, for reading it again; null without a file. */
export interface Secret {
  readonly text: string;
  readonly file: string | null;
}

/** A token or password; never shown. `pattern` defines the allowed characters. */
export function secret(expected: string, pattern: RegExp): Format<Secret, ''> {
  const parse = (raw: unknown) =>
    typeof raw === 'string' && pattern.test(raw) ? { text: raw, file: null } : undefined;
  return { ...format(expected, parse), secret: true };
}

export const line = text('a text of one line', /^[^\p{Cc}]{1,200}$/u);

export const password = secret('a password: one line', /^[^\p{Cc}]+$/u);

/** One or more secret tokens, separated by commas or line breaks. */
export const tokens: Format<readonly string[], ''> = {
  ...format('a token without spaces, or several separated by commas or line breaks', (raw) => {
    const texts: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
    const entries = texts.flatMap((one): readonly unknown[] =>
      typeof one === 'string' ? splitTokens(one) : [one],
    );
    // A duplicate token would count as two tokens with one quota.
    const valid = [...new Set(entries.filter(isToken))];
    return valid.length > 0 && valid.length === entries.length ? valid : undefined;
  }),
  secret: true,
};

/** Parses tokens; undefined when `tokens` would reject the string. */
export function parseTokens(text: string): readonly string[] | undefined {
  return tokens.parse(text, 0);
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
export const scopes: Format<readonly string[], ''> = format(
  'permissions of Meta separated by commas or spaces, such as instagram_basic',
  (raw) => {
    const entries = typeof raw === 'string' ? raw.split(/[ ,]+/).filter(Boolean) : raw;
    return Array.isArray(entries) && entries.every(isScope) ? entries : undefined;
  },
);

function isScope(raw: unknown): raw is string {
  return typeof raw === 'string' && /^[a-z]\w{0,99}$/.test(raw);
}

/** The oldest major version of the Graph API that Meta still serves (its changelog, read 2026-11). */
const oldestApiVersion = 21;

/** A version of the Graph API as in its paths; versions newer than this program are accepted. */
export const apiVersion = format(
  `a version of the Graph API from v${oldestApiVersion}.0 on, such as v26.0`,
  (raw) => {
    const major = typeof raw === 'string' ? /^v([1-9]\d{0,2})\.0$/.exec(raw) : null;
    return major !== null && Number(major[1]) >= oldestApiVersion ? major[0] : undefined;
  },
);

const plainUrl = /^https?:\/\/[^\s/?#@\\]+(?:\/[^\s?#@\\]*)?$/;

/** An http or https URL that is compared exactly. */
export const exactUrl = format(
  'an http or https URL without user, password, query and fragment',
  (raw) => (typeof raw === 'string' && plainUrl.test(raw) && URL.canParse(raw) ? raw : undefined),
);

/** An http or https URL; a slash at its end is removed. */
export const url = format(exactUrl.expected, (raw, nowMs) =>
  exactUrl.parse(raw, nowMs)?.replace(/\/+$/, ''),
);

const noMetadata = 'not an address where clouds give out credentials, such as a link-local one';

/**
 * A URL that receives a token or secret: https, or http to this machine, its network or its
 * cluster.
 */
const publicUrl = guarded('or http to this machine, its network or its cluster', isNear);

/** The same format for an API whose version is a field of its own. */
export const apiUrl = format(
  `${publicUrl.expected}; without the version, which INSTAGRAM_API_VERSION says`,
  (raw, nowMs) => {
    const parsed = publicUrl.parse(raw, nowMs);
    if (parsed === undefined) return undefined;
    return /\/v\d+(?:\.\d+)?\/*$/i.test(new URL(parsed).pathname) ? undefined : parsed;
  },
);

/** The same format for a secret that must not cross a network: http only on this machine. */
export const httpsUrl = guarded('or http to this machine', isLoopback);

function guarded(orHttp: string, mayBePlain: (host: string) => boolean): Format<string, ''> {
  const expected = `an https URL, ${orHttp}, without user, password, query and fragment; ${noMetadata}`;
  return format(expected, (raw, nowMs) => {
    const parsed = url.parse(raw, nowMs);
    if (parsed === undefined) return undefined;
    // `URL` normalizes 0x7f.1 and 2130706433 to 127.0.0.1, and the spellings of ::ffff:a9fe:1 to
    // one.
    const { protocol, hostname } = new URL(parsed);
    if (isMetadata(hostname)) return undefined;
    return protocol === 'https:' || mayBePlain(hostname) ? parsed : undefined;
  });
}

/**
 * True for addresses of cloud metadata services: link-local ones, and separate ones of AWS and
 * Google.
 */
function isMetadata(host: string): boolean {
  return (
    /^169\.254\.|^\[fe[89ab]|^\[::ffff:a9fe:|^metadata\.google\.internal\.?$/.test(host) ||
    ['[fd00:ec2::254]', '[fd20:ce::254]'].includes(host)
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

/** A URL that is a secret itself and may have a query; https, or http as `publicUrl`. */
export const secretUrl: Format<Secret, ''> = {
  ...format(
    `an https URL, or http to this machine, its network or its cluster, without user, password and fragment; ${noMetadata}`,
    (raw) => {
      const pattern = /^https?:\/\/[^\s/?#@\\]+(?:[/?][^\s#\\]*)?$/;
      if (typeof raw !== 'string' || !pattern.test(raw) || !URL.canParse(raw)) return undefined;
      const { protocol, hostname } = new URL(raw);
      if (isMetadata(hostname) || (protocol === 'http:' && !isNear(hostname))) return undefined;
      return { text: raw, file: null };
    },
  ),
  secret: true,
};

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

const broker = format('host:port, such as kafka-1:9092', (raw) => {
  const pattern = /^(?:[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):([1-9]\d{0,4})$/;
  const match = typeof raw === 'string' ? pattern.exec(raw) : null;
  return match !== null && Number(match[1]) <= 65_535 ? match[0] : undefined;
});

/** Kafka's bootstrap servers. */
export const brokers = list(broker, 1);

const business = text(
  'the id of a business as a string of digits, such as "1234567890", or all',
  /^(?:\d{1,25}|all)$/,
);

/** Businesses by id; `all` stands for those of the token. */
export const businesses = list(business);

/** Names of streams; `default`, or none, stands for the default streams, and `all` for all. */
export const streams = list(streamWord());

/** The streams of one account, at least one. */
export const accountStreams = list(streamWord(), 1);

function streamWord() {
  return choice([...streamNames, 'default', 'all']);
}

/**
 * One account: its id, or `@` and its user name in lower case. Ids are strings, because JSON numbers
 * beyond 2^53 would be rounded.
 */
export const account = format(
  'an account id as a string of digits, such as "17841400000000000", or a user name, such as @name',
  (raw) => {
    if (typeof raw !== 'string') return undefined;
    if (/^\d{1,25}$/.test(raw)) return raw;
    // Without @, a text of digits is an id.
    return /^(?:@|(?=.*\D))[\w.]{1,30}$/.test(raw)
      ? `@${raw.replace('@', '').toLowerCase()}`
      : undefined;
  },
);

/** Accounts by id or user name. */
export const accounts = list(account);

/** User names of other accounts in lower case, without `@`, each once. */
export const userNames = distinct(
  format('a user name of letters, digits, "." and "_", such as @name', (raw) =>
    typeof raw === 'string' && /^@?[\w.]{1,30}$/.test(raw)
      ? raw.replace('@', '').toLowerCase()
      : undefined,
  ),
);

/** Hashtags in lower case, without `#`, each once. */
export const hashtags = distinct(
  format('a hashtag of letters, digits and "_", without spaces and emoji, such as #name', (raw) =>
    typeof raw === 'string' && /^#?[\p{L}\p{M}\p{N}_]{1,100}$/u.test(raw)
      ? raw.replace('#', '').normalize('NFC').toLowerCase()
      : undefined,
  ),
);

/** A list that keeps the first of equal entries. */
function distinct(entry: Format<string, ''>): Format<readonly string[], ''> {
  const all = list(entry);
  return format(all.expected, (raw, nowMs) => {
    const parsed = all.parse(raw, nowMs);
    return parsed === undefined ? undefined : [...new Set(parsed)];
  });
}

const longestTopicName = 249;
const [longestStream = ''] = streamNames.toSorted((a, b) => b.length - a.length);

const longestAccount = '9'.repeat(25);

/** A topic name that contains `{stream}`, and may contain `{account}`. */
export const topicTemplate = format(
  'a topic name with {stream} in it, and with {account} where each account has its own topics, of ' +
    `letters, digits, ".", "_" and "-", at most ${longestTopicName} characters with the longest ` +
    'names, such as instagram.{stream}',
  (raw) => {
    if (typeof raw !== 'string' || !raw.includes('{stream}')) return undefined;
    const longest = topicName(raw, longestStream, longestAccount);
    const isName = longest.length <= longestTopicName && /^[A-Za-z0-9._-]+$/.test(longest);
    return isName ? raw : undefined;
  },
);

/** A calendar date or UTC time in the past, as epoch milliseconds. */
export const pastDate = inMs(
  'a real date that is not in the future, as 2026-01-31 (UTC) or 2026-01-31T12:00:00Z',
  (raw, nowMs) => {
    if (typeof raw !== 'string' || !/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ)?$/.test(raw)) {
      return undefined;
    }
    const ms = Date.parse(raw);
    // `Date.parse` turns 30 February into a day in March; formatting the result again detects that.
    const real = !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(raw.replace('Z', ''));
    return real && ms <= nowMs ? ms : undefined;
  },
);
