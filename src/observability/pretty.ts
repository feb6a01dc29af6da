import { printable } from '../engine/printable.ts';

/** The destination of lines; each ends in a newline. */
export interface LogDestination {
  write(line: string): void;
}

/** The style of log lines: `json` for machines, `plain` and `coloured` for people. */
export type LogStyle = 'json' | 'plain' | 'coloured';

/** The configured format of the log: `auto` is pretty on a terminal and JSON elsewhere. */
export type LogFormat = 'auto' | 'json' | 'pretty';

export function logStyle(
  format: LogFormat,
  output: { readonly isTTY?: boolean },
  env: NodeJS.ProcessEnv,
): LogStyle {
  const { isTTY = false } = output;
  if (format === 'json' || (format === 'auto' && !isTTY)) return 'json';
  return isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb' ? 'coloured' : 'plain';
}

/** Creates a destination that formats JSON log lines for people. */
export function prettyDestination(out: LogDestination, style: LogStyle): LogDestination {
  if (style === 'json') return out;
  return {
    write(line) {
      out.write(prettyLine(line, style === 'coloured'));
    },
  };
}

/** Fields that precede the facts, or are the same in every line. */
const shown = new Set(['level', 'time', 'msg', 'version', 'instance']);

const colours: Readonly<Record<string, number>> = { debug: 2, info: 32, warn: 33, error: 31 };

/**
 * Formats a line as `06:00:05.123 WARN  poll failed  stream=users code=graph.server`; a stack gets
 * lines of its own.
 */
function prettyLine(line: string, coloured: boolean): string {
  const entry = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const paint = (code: number, text: string) =>
    coloured ? `\u001B[${String(code)}m${text}\u001B[0m` : text;
  const level = textOf(entry['level']);
  const facts = Object.entries(entry).filter(([name]) => !shown.has(name));
  const words = facts.map(([name, value]) => `${paint(2, `${textOf(name)}=`)}${factOf(value)}`);
  const head = [
    paint(2, textOf(entry['time']).slice(11, 23)),
    paint(colours[level] ?? 0, level.toUpperCase().padEnd(5)),
    textOf(entry['msg']),
  ].join(' ');
  const stacks = facts.flatMap(([, value]) => stackOf(value));
  return `${[head, ...words].join('  ')}\n${stacks.map((one) => `    ${one}\n`).join('')}`;
}

function factOf(value: unknown): string {
  if (isError(value)) return textOf(`${String(value.name)}: ${String(value.message)}`, true);
  if (typeof value === 'string') return textOf(value, /[\s"=]|^$/.test(value));
  return textOf(JSON.stringify(value));
}

function stackOf(value: unknown): readonly string[] {
  if (!isError(value)) return [];
  const lines = String(value.stack).split('\n').slice(1);
  return lines.map((line) => textOf(line.trim()));
}

function isError(value: unknown): value is Record<'name' | 'message' | 'stack', unknown> {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}

/** Escapes control characters: text from outside must not control the terminal. */
function textOf(value: unknown, quoted = false): string {
  return printable(quoted ? JSON.stringify(value) : String(value));
}
