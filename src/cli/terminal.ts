/** Text styles of an output stream. */
export interface Style {
  /** True on a terminal, where progress is worth writing. */
  readonly isLive: boolean;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** The property of a stream that decides its style. */
interface OutputStream {
  readonly isTTY?: boolean;
}

const plain = (text: string): string => text;
const ansi = (code: number) => (text: string) => `\u001B[${String(code)}m${text}\u001B[0m`;

/**
 * Returns coloured styles for a terminal, and plain ones elsewhere or when `NO_COLOR` is set to
 * anything.
 *
 * @see https://no-color.org
 */
export function styleFor({ isTTY = false }: OutputStream, env: NodeJS.ProcessEnv): Style {
  const coloured = isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  if (!coloured) return { isLive: isTTY, good: plain, bad: plain, dim: plain };
  return { isLive: true, good: ansi(32), bad: ansi(31), dim: ansi(2) };
}
