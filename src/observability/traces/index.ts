import type { ShutdownBudget } from '../../engine/shutdown-budget.ts';
import type { Tracer } from '../../engine/ports.ts';
import { readSettings } from './settings.ts';

/** Where trouble with traces is told. */
export interface Warning {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What traces are told of. */
export interface TracingOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly instance: string;
  readonly log: Warning;
  readonly shutdown: ShutdownBudget;
}

/** Traces, opened. */
export interface Tracing extends AsyncDisposable {
  readonly tracer: Tracer;
}

/**
 * Opens traces when a standard variable names where they go; null, and nothing is loaded, when none
 * does. Disposing sends what is left, as long as the shutdown allows.
 */
export async function openTracing(options: TracingOptions): Promise<Tracing | null> {
  const settings = readSettings(options.env, (variable, expected) => {
    options.log.warn({ variable, expected }, 'tracing variable of no use');
  });
  if (settings === null) return null;
  const { startTracing } = await import('./otlp.ts');
  return startTracing(settings, options);
}
