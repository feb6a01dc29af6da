/** How words are shown on a stream. */
export interface Style {
  /** Whether somebody watches: progress is worth writing. */
  readonly isLive: boolean;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** What of a stream decides. */
interface Output {
  readonly isTTY?: boolean;
}

const plain = (text: string): string => text;
const ansi = (code: number) => (text: string) => `\u001B[${String(code)}m${text}\u001B[0m`;

/**
 * Colours are for a terminal that can show them, and not when `NO_COLOR` is set to anything.
 *
 * @see https://no-color.org
 */
export function styleFor({ isTTY = false }: Output, env: NodeJS.ProcessEnv): Style {
  const coloured = isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  if (!coloured) return { isLive: isTTY, good: plain, bad: plain, dim: plain };
  return { isLive: true, good: ansi(32), bad: ansi(31), dim: ansi(2) };
}
