import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { errorCodes } from '../../src/engine/errors.ts';
import { openCaptured } from '../unit/observability/captured-observability.ts';
import { rowsBelow } from '../unit/docs/markdown.ts';
import { everyEvent } from './every-event.ts';
import { expectGolden, sorted } from './golden.ts';

const page = readFileSync(new URL('../../docs/operations/monitor.md', import.meta.url), 'utf8');

/** A metric of the program as a scraper sees it. */
interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly string[];
}

/** The program's own metrics; those of the Node process are its library's. */
function metricsIn(text: string): readonly Metric[] {
  const heads = text.matchAll(/^# HELP (instagram_kafka_\S+) (.*)\n# TYPE \S+ (\w+)$/gm);
  return [...heads].map(([, name = '', help = '', type = '']) => {
    const samples = text.match(new RegExp(`^${name}(?:_bucket|_sum|_count)?[{ ].*$`, 'gm'));
    return { name, type, help, samples: samples ?? [] };
  });
}

/** The values of a label in all samples. */
function valuesOf({ samples }: Metric, label: string): readonly string[] {
  const values = samples.map((sample) => new RegExp(`[{,]${label}="([^"]*)"`).exec(sample)?.[1]);
  return [...new Set(values.filter((value) => value !== undefined))];
}

function labelsOf({ samples }: Metric): readonly string[] {
  const names = samples.flatMap((sample) => sample.match(/\w+(?==")/g) ?? []);
  return sorted(names.filter((label) => label !== 'le'));
}

/** Labels whose values are configured or listed elsewhere. */
const open = 'stream endpoint form code reason token version node_version'.split(' ');

function lineOf(metric: Metric): string {
  const labels = labelsOf(metric).map((label) =>
    open.includes(label) ? label : `${label}=${sorted(valuesOf(metric, label)).join('|')}`,
  );
  const { name, type, help } = metric;
  const buckets = type === 'histogram' ? `; buckets ${valuesOf(metric, 'le').join(' ')}` : '';
  return `${name} ${type} {${labels.join(', ')}} ${help}${buckets}`;
}

describe('metrics', () => {
  let metrics: readonly Metric[];
  beforeAll(async () => {
    await using captured = openCaptured();
    for (const event of everyEvent) captured.telemetry.report(event);
    metrics = metricsIn(await captured.metrics());
  });

  test('have a sample each after every event was reported', () => {
    expect(metrics.filter(({ samples }) => samples.length === 0).map(({ name }) => name)).toEqual(
      [],
    );
  });

  test('match the golden file, the values of the labels code and reason included', () => {
    expectGolden('metrics', [
      ...sorted(metrics.map(lineOf)),
      ...sorted(errorCodes.map((code) => `code or reason: ${code}`)),
    ]);
  });

  test('have a row each in docs/operations/monitor.md, with type and labels', () => {
    const rows = rowsBelow(page, '## Metrics').map(([name = '', type, labels = '']) => {
      return [name, type, sorted(labels.split(', ').filter((label) => label !== ''))];
    });

    expect(rows.sort()).toEqual(
      metrics
        .map((metric) => [
          `\`${metric.name}\``,
          metric.type,
          labelsOf(metric).map((label) => `\`${label}\``),
        ])
        .sort(),
    );
  });
});
