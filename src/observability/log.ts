import { pino, type Logger } from 'pino';
import { type LogStyle, prettyDestination } from './pretty.ts';
import type { Redactor } from './redaction.ts';

/** Facts of a log line, by name; anything may be in them, errors too. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log: a constant lower-case message and the facts in fields. Redacts, and never throws. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** The log with its level, which may be changed while it is written. */
export interface LeveledLog extends Log {
  readonly level: () => string;
  /** The least important level that is written from now on, or `silent`. */
  readonly setLevel: (level: string) => void;
}

/** What the log's level may be, from the most talkative to silence. */
export const logLevels: readonly string[] = [...Object.keys(pino.levels.values), 'silent'];

/** The importance of a line. */
export type LogLevel = keyof Log;

/** Where lines go; each ends in a newline. */
export interface LogDestination {
  write(line: string): void;
}

/** How lines are written. */
export interface LogOptions {
  /** The least important level that is written, or `silent`. */
  readonly level: string;
  readonly version: string;
  readonly instance: string;
  /** Standard output when absent. */
  readonly destination?: LogDestination;
  /** As JSON when absent. */
  readonly style?: LogStyle;
  readonly redactor: Redactor;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
}

/** Names that each line has already; JSON with a name twice is read differently by each reader. */
const taken = new Set(['level', 'time', 'msg', 'version', 'instance']);

/** Opens the log: one line of JSON an event, written before the call returns. */
export function createLog(options: LogOptions): LeveledLog {
  const { redactor } = options;
  const logger = pino(
    {
      level: options.level,
      base: { version: options.version, instance: redactor.text(options.instance) },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(options.nowMs()).toISOString()}"`,
    },
    // Synchronous, so that the last words of a dying process are not lost.
    prettyDestination(
      options.destination ?? pino.destination({ dest: 1, sync: true }),
      options.style ?? 'json',
    ),
  );
  const writer = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (logger.isLevelEnabled(level)) write({ logger, redactor, level }, fields, message);
  };
  return {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
    level: () => logger.level,
    setLevel: (level) => {
      logger.level = level;
    },
  };
}

interface Line {
  readonly logger: Logger;
  readonly redactor: Redactor;
  readonly level: LogLevel;
}

function write({ logger, redactor, level }: Line, fields: LogFields, message: string): void {
  const words = redactor.text(message);
  let shown: object;
  try {
    shown = redactor.value(renameTaken(fields)) as object;
  } catch {
    // A getter or a proxy among the fields threw; the message is still worth a line.
    shown = { unloggable: true };
  }
  logger[level](shown, words);
}

function renameTaken(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [taken.has(name) ? `${name}_` : name, value]),
  );
}
