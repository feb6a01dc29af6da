import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { missingIn, programMetrics } from './program-metrics.ts';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Place;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly {
    readonly expr: string;
    readonly legendFormat: string;
    readonly datasource: { readonly uid: string };
  }[];
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}

const file = new URL('../../../deploy/grafana/instagram-kafka-producer.json', import.meta.url);
const dashboard = JSON.parse(readFileSync(file, 'utf8')) as Dashboard;
const charts = dashboard.panels.filter(({ type }) => type !== 'row');
const targets = charts.flatMap(({ targets: all }) => all ?? []);

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

describe('the Grafana dashboard', () => {
  let known: Awaited<ReturnType<typeof programMetrics>>;
  beforeAll(async () => {
    known = await programMetrics();
  });

  test('queries only metrics and labels of the program', () => {
    const definitions = dashboard.templating.list.flatMap(({ definition }) => definition ?? []);
    const expressions = [...targets.map(({ expr }) => expr), ...definitions];

    expect(expressions.length).toBeGreaterThan(20);
    expect(expressions.flatMap((expression) => missingIn(expression, known))).toEqual([]);
  });

  test('shows every metric of the program', () => {
    const shown = targets.map(({ expr }) => expr).join('\n');
    const own = [...known.keys()].filter((name) => name.startsWith('instagram_kafka_'));
    const missing = own.filter((name) => !shown.includes(name));

    // A histogram is shown by its buckets, the end of a token by the days until then.
    const others = /_(?:sum|count)$|_token_expiry_timestamp_seconds$/;
    expect(missing.filter((name) => !others.test(name))).toEqual([]);
  });

  test('uses in a legend only labels that remain in its expression', () => {
    const lost = targets.filter(({ expr, legendFormat }) =>
      [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].some(([, label = '']) => {
        const kept = [...expr.matchAll(/by \(([^)]*)\)/g)].at(0)?.[1]?.split(', ');
        return kept === undefined ? label !== 'instance' : !kept.includes(label);
      }),
    );

    expect(lost).toEqual([]);
  });

  test('queries the selected data source, with its own variables only', () => {
    const sources = [
      ...charts.map(({ datasource }) => datasource),
      ...targets.map((t) => t.datasource),
    ];
    expect(new Set(sources.map((source) => source?.uid))).toEqual(new Set(['${datasource}']));

    const used = targets.flatMap(({ expr }) =>
      [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name),
    );
    const variables = dashboard.templating.list.map(({ name }) => name);
    expect([...new Set(used)].sort()).toEqual(['__rate_interval', 'instance', 'job', 'stream']);
    expect(variables).toEqual(['datasource', 'job', 'instance', 'stream']);
  });

  test('has panels with unique ids and places, titles and, on charts, descriptions', () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ title }) => title === '')).toEqual([]);
    expect(charts.filter(({ description = '' }) => description === '')).toEqual([]);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
    const clashes = panels.filter((one, n) =>
      panels.slice(n + 1).some((other) => overlap(one, other)),
    );
    expect(clashes).toEqual([]);
  });
});
