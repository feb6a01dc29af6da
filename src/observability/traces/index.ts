import { readSettings, type Tracing, type TracingOptions } from './settings.ts';

export type { Tracing, TracingOptions } from './settings.ts';

/**
 * Opens tracing when a standard variable configures an exporter; otherwise returns null and loads
 * nothing. Disposing sends the remaining spans within the shutdown budget.
 */
export async function openTracing(options: TracingOptions): Promise<Tracing | null> {
  const settings = readSettings(options.env, (variable, expected) => {
    options.log.warn({ variable, expected }, 'tracing variable invalid');
  });
  if (settings === null) return null;
  const { startTracing } = await import('./otlp.ts');
  return startTracing(settings, options);
}
