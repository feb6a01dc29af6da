import { mask } from '../engine/redaction.ts';

const longestShown = 200;

/**
 * The received value for an error message; secrets are masked, even in a field that is not secret.
 */
export function showValue(raw: unknown, secret: boolean): string {
  if (raw === null || raw === undefined) return 'nothing';
  if (raw === '') return 'an empty string';
  return secret ? mask : redact(JSON.stringify(raw));
}

/** A name from the user: quoted when it is empty or would break the line. */
export function showName(name: string): string {
  return redact(/^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name));
}

/** A string without tokens, user names with passwords and query strings, shortened. */
export function redact(words: string): string {
  const shown = maskStray(words);
  return shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown;
}

/** The same redaction at any length. */
export function maskStray(words: string): string {
  return (
    words
      // A private key that was set in place of its file's name.
      .replaceAll(/-----BEGIN[^]*/g, mask)
      .replaceAll(/\b(?:EAA|IG)[\w-]{20,}/g, mask)
      .replaceAll(/[^\s/",]+/g, maskUser)
      .replaceAll(/\?[^\s",]+/g, `?${mask}`)
      .replaceAll(/#[^\s",]+/g, `#${mask}`)
  );
}

/**
 * Masks the part of a word before its last `@`. A regular expression for this would be quadratic.
 */
function maskUser(word: string): string {
  const at = word.lastIndexOf('@');
  return at > 0 ? `${mask}${word.slice(at)}` : word;
}
