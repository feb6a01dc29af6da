import type { ShutdownBudget } from '../../engine/shutdown-budget.ts';
import type { Tracer } from '../../engine/ports.ts';
import { readSettings } from './settings.ts';

/** The log for errors of tracing. */
export interface TracingLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** The environment and the dependencies of tracing. */
export interface TracingOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly instance: string;
  readonly log: TracingLog;
  readonly shutdown: ShutdownBudget;
}

/** The tracer; disposing flushes it. */
export interface Tracing extends AsyncDisposable {
  readonly tracer: Tracer;
}

/**
 * Opens tracing when a standard variable configures an exporter; otherwise returns null and loads
 * nothing. Disposing sends the remaining spans within the shutdown budget.
 */
export async function openTracing(options: TracingOptions): Promise<Tracing | null> {
  const settings = readSettings(options.env, (variable, expected) => {
    options.log.warn({ variable, expected }, 'tracing variable of no use');
  });
  if (settings === null) return null;
  const { startTracing } = await import('./otlp.ts');
  return startTracing(settings, options);
}
