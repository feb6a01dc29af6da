import { pino } from 'pino';
import { type LogStyle, prettyDestination, type LogDestination } from './pretty.ts';
import type { Redactor } from './redaction.ts';

/** The fields of a log line, by name; values of any type, errors included. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The severity of a line. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The log: a constant lower-case message with facts in fields. Redacts, and never throws. */
export type Log = Readonly<Record<LogLevel, (fields: LogFields, message: string) => void>>;

/** A log whose level can be changed at run time. */
export interface LeveledLog extends Log {
  readonly level: () => string;
  /** Sets the least important level that is written, or `silent`. */
  readonly setLevel: (level: string) => void;
}

/** The log levels, from the most verbose to silent. */
export const logLevels: readonly string[] = [...Object.keys(pino.levels.values), 'silent'];

export interface LogOptions {
  /** The least important level that is written, or `silent`. */
  readonly level: string;
  readonly version: string;
  readonly instance: string;
  /** The destination of log lines; standard output by default. */
  readonly destination?: LogDestination;
  /** The format of log lines; JSON by default. */
  readonly style?: LogStyle;
}

/** The field names that each line has already. Parsers disagree on JSON with duplicate names. */
const reservedNames = new Set(['level', 'time', 'msg', 'version', 'instance']);

/** Opens the log: one line of JSON per event, written before the call returns. */
export function createLog(
  options: LogOptions,
  redactor: Redactor,
  nowMs: () => number,
): LeveledLog {
  const logger = pino(
    {
      level: options.level,
      base: { version: options.version, instance: redactor.text(options.instance) },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
    },
    // Synchronous, so that the last lines of a crashing process are written.
    prettyDestination(
      options.destination ?? pino.destination({ dest: 1, sync: true }),
      options.style ?? 'json',
    ),
  );
  const writer = (level: LogLevel) => (fields: LogFields, message: string) => {
    if (!logger.isLevelEnabled(level)) return;
    logger[level](redactFields(fields, redactor), redactor.text(message));
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

/** The redacted fields; those with reserved names get an underscore. */
function redactFields(fields: LogFields, redactor: Redactor): object {
  try {
    const renamed = Object.entries(fields).map(([name, value]) => {
      return [reservedNames.has(name) ? `${name}_` : name, value] as const;
    });
    return redactor.value(Object.fromEntries(renamed)) as object;
  } catch {
    // A getter or a proxy among the fields threw; the message is written without the fields.
    return { unloggable: true };
  }
}
