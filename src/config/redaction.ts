/** What is shown in place of a secret. */
export const mask = '[secret]';
const longestShown = 200;

/** What came, for an error message; nothing of a secret, and no secret that strayed into another field. */
export function showValue(raw: unknown, secret: boolean): string {
  if (raw === null || raw === undefined) return 'nothing';
  if (raw === '') return 'an empty text';
  return secret ? mask : redact(JSON.stringify(raw));
}

/** A name that somebody made up: quoted where it is empty or would break the line. */
export function showName(name: string): string {
  return redact(/^[\x21-\x7e]+$/.test(name) ? name : JSON.stringify(name));
}

/** A text without what looks like a token, a user with a password, or a URL's query. */
export function redact(words: string): string {
  const shown = maskStray(words);
  return shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown;
}

/** The same, at any length. */
export function maskStray(words: string): string {
  return (
    words
      // A key that was set where its file's name is wanted.
      .replaceAll(/-----BEGIN[^]*/g, mask)
      .replaceAll(/\b(?:EAA|IG)[\w-]{20,}/g, mask)
      .replaceAll(/[^\s/",]+/g, maskUser)
      .replaceAll(/\?[^\s",]+/g, `?${mask}`)
      .replaceAll(/#[^\s",]+/g, `#${mask}`)
  );
}

/** A word without what stands before its last `@`. The expression for it would be quadratic. */
function maskUser(word: string): string {
  const at = word.lastIndexOf('@');
  return at > 0 ? `${mask}${word.slice(at)}` : word;
}
