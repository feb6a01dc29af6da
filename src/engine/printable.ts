/** Controls (C0, delete, C1), line and paragraph separators, and bidirectional controls. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * Escapes every unprintable character of a line as `\uXXXX`, so that it cannot control a terminal.
 * JSON stays JSON of the same value.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (character) => {
    const code = character.charCodeAt(0);
    return `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Escapes a text of several lines; its line breaks stay. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
