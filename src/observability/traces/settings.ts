import type { Tracer } from '../../engine/ports.ts';
import type { ShutdownBudget } from '../../engine/shutdown-budget.ts';
import type { Log } from '../log.ts';

/** The environment and the dependencies of tracing. */
export interface TracingOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly instance: string;
  readonly log: Pick<Log, 'warn'>;
  readonly shutdown: ShutdownBudget;
}

/** The tracer; disposing flushes it. */
export interface Tracing extends AsyncDisposable {
  readonly tracer: Tracer;
}

type Warn = (variable: string, expected: string) => void;

/**
 * Reads the settings; null when tracing is not configured. An invalid value is reported and
 * replaced by its default.
 */
export function readSettings(env: NodeJS.ProcessEnv, warnOf: Warn) {
  const url = urlOf(env);
  if (url === null) return null;
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    const variable = 'OTEL_EXPORTER_OTLP_ENDPOINT';
    warnOf(variable, 'an http or https URL, such as http://collector:4318; nothing is traced');
    return null;
  }
  const count = (variable: string, byDefault: number): number => {
    const text = env[variable] ?? '';
    if (text === '') return byDefault;
    if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
    warnOf(variable, `a whole number above 0; ${byDefault} is used`);
    return byDefault;
  };
  const maxQueueSize = count('OTEL_BSP_MAX_QUEUE_SIZE', 2048);
  return {
    /** The OTLP endpoint over HTTP. */
    url,
    /** The fraction of the polls that are traced, 0 to 1. */
    ratio: ratioOf(env, warnOf),
    scheduledDelayMillis: count('OTEL_BSP_SCHEDULE_DELAY', 5000),
    maxQueueSize,
    maxExportBatchSize: Math.min(maxQueueSize, count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512)),
    exportTimeoutMillis: count('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
  };
}

/** The settings from OpenTelemetry's standard variables. */
export type TracingSettings = NonNullable<ReturnType<typeof readSettings>>;

function urlOf(env: NodeJS.ProcessEnv): string | null {
  const isOff =
    env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none';
  if (isOff) return null;
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? '';
  if (own !== '') return own;
  const shared = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  return shared === '' ? null : `${shared.replace(/\/+$/, '')}/v1/traces`;
}

/** The sampling ratio. A poll has no parent span, so `parentbased_x` is equivalent to `x`. */
function ratioOf(env: NodeJS.ProcessEnv, warnOf: Warn): number {
  const sampler = env['OTEL_TRACES_SAMPLER'] ?? '';
  const kind = sampler.replace(/^parentbased_/, '');
  if (kind === 'always_off') return 0;
  if (kind === '' || kind === 'always_on') return 1;
  if (kind !== 'traceidratio') {
    const expected = 'always_on, always_off or traceidratio, also after parentbased_';
    warnOf('OTEL_TRACES_SAMPLER', `${expected}; always_on is used`);
    return 1;
  }
  const ratio = Number(env['OTEL_TRACES_SAMPLER_ARG'] ?? '1');
  if (ratio >= 0 && ratio <= 1) return ratio;
  warnOf('OTEL_TRACES_SAMPLER_ARG', 'a number from 0 to 1; 1 is used');
  return 1;
}
