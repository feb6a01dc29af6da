export const mask = '[secret]';

/** Replaces every secret in a text that leaves the program (Invariant 9). */
export type Redact = (text: string) => string;

/**
 * Patterns of secrets: page tokens, for example, are never configured. A secret that is masked
 * already stays as it is.
 */
const secretPatterns: readonly (readonly [RegExp, string])[] = [
  // Query parameters, JSON and once-encoded URLs: access_token=…, "access_token":"…",
  // access_token%3D…, access_token\u003d…
  [
    /((?:access_?token|input_token|fb_exchange_token|client_secret|appsecret_proof)\\?["']?\s*(?:=|:|%3D|\\u003d)\s*\\?["']?)(?:\[secret\]|[^\s&"'\\,;}\]]+)/gi,
    `$1${mask}`,
  ],
  [
    /(authorization\\?["']?\s*[:=]\s*\\?["']?)(?:(?:bearer|basic|oauth)\s+)?(?:\[secret\]|[^\s"'\\,;}\]]+)/gi,
    `$1${mask}`,
  ],
  // At least 16 characters, because messages contain "basic authentication".
  [/\b(bearer|basic|oauth)\s+[\w.~+/|-]{16,}=*/gi, `$1 ${mask}`],
  [/\b(?:EAA|IGAA|IGQ)[\w-]{20,}/g, mask],
  // The user and password before a URL's host.
  [/(\b[a-z][a-z\d+.-]{0,20}:\/\/)[^\s/?#@"']+@/gi, `$1${mask}@`],
];

/** The spellings of a secret: plain, and as URLs, forms and JSON encode it. */
function spellings(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const form = new URLSearchParams({ s: secret }).toString().slice(2);
  // PHP, and therefore the Graph API, writes a slash in JSON as `\/`.
  return [secret, encodeURIComponent(secret), form, json, json.replaceAll('/', '\\/')];
}

function patternOf(secrets: readonly string[]): RegExp | null {
  const words = new Set(secrets.filter((secret) => secret !== '').flatMap(spellings));
  if (words.size === 0) return null;
  // The longest first, so that a secret within a secret is masked completely.
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((word) => word.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  return new RegExp(escaped.join('|'), 'gi');
}

/**
 * Creates the redaction of some secrets; empty ones are ignored. It replaces them in every
 * spelling, and whatever looks like a secret.
 */
export function createRedact(secrets: readonly string[]): Redact {
  const pattern = patternOf(secrets);
  return (text) =>
    secretPatterns.reduce(
      (shown, [secretPattern, replacement]) => shown.replaceAll(secretPattern, replacement),
      pattern === null ? text : text.replaceAll(pattern, mask),
    );
}
