import { describe, expect, test } from '@jest/globals';
import { openTracing } from '../../../../src/observability/traces/index.ts';
import { readSettings } from '../../../../src/observability/traces/settings.ts';
import { usualShutdown } from '../../../support/shutdown.ts';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };

/** The settings of an environment, and its invalid variables. */
function read(env: NodeJS.ProcessEnv) {
  const invalid: string[] = [];
  const settings = readSettings(env, (variable) => invalid.push(variable));
  return { settings, invalid };
}

describe('the OpenTelemetry variables', () => {
  test.each<[string, NodeJS.ProcessEnv]>([
    ['no endpoint is set', {}],
    ['the endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['the SDK is off', { ...endpoint, OTEL_SDK_DISABLED: 'TRUE' }],
    ['the exporter is none', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
  ])('disable tracing when %s', (_when, env) => {
    expect(read(env)).toEqual({ settings: null, invalid: [] });
  });

  test('set the URL of the traces, with the variable for traces alone first', () => {
    expect(read(endpoint).settings?.url).toBe('http://collector:4318/v1/traces');
    const own = { ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces/in' };
    expect(read(own).settings?.url).toBe('https://traces/in');
  });

  test.each<[string, string | undefined, number]>([
    ['', undefined, 1],
    ['always_on', undefined, 1],
    ['parentbased_always_off', undefined, 0],
    ['traceidratio', '0.25', 0.25],
    ['parentbased_traceidratio', undefined, 1],
  ])('with sampler "%s" and argument %s set the ratio %d', (sampler, arg, ratio) => {
    const env = { ...endpoint, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg };

    const { settings, invalid } = read(env);

    expect([settings?.ratio, invalid]).toEqual([ratio, []]);
  });

  test.each<[string, string]>([
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_BSP_SCHEDULE_DELAY', 'soon'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
  ])(
    'fall back to the default when %s is "%s", and that variable is reported',
    (variable, value) => {
      const env = { ...endpoint, OTEL_TRACES_SAMPLER: 'traceidratio', [variable]: value };

      const { settings, invalid } = read(env);

      expect(invalid).toEqual([variable]);
      expect(settings).toEqual({ ...read(endpoint).settings, ratio: 1 });
    },
  );

  test('disable tracing with a warning when the endpoint is not a URL', async () => {
    const lines: unknown[] = [];
    const log = { warn: (fields: object, message: string) => lines.push({ ...fields, message }) };
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' };

    expect(
      await openTracing({ env, log, version: '1', instance: 'here', shutdown: usualShutdown }),
    ).toBeNull();
    expect(lines).toEqual([
      {
        variable: 'OTEL_EXPORTER_OTLP_ENDPOINT',
        expected: 'an http or https URL, such as http://collector:4318; nothing is traced',
        message: 'tracing variable invalid',
      },
    ]);
  });
});
