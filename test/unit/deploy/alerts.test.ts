import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { anchorsOf } from '../docs/markdown.ts';
import { metricsIn, missingIn, programMetrics } from './program-metrics.ts';

const root = new URL('../../../', import.meta.url);
const folder = 'deploy/prometheus/instagram-kafka-producer';
const rules = readFileSync(new URL(`${folder}.rules.yml`, root), 'utf8');
const ruleTests = readFileSync(new URL(`${folder}.test.yml`, root), 'utf8');

interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly severity: string;
  readonly runbook: string;
}

/** The file has one form, so that a pattern is enough to read it; promtool reads it as YAML. */
function alertsOf(text: string): readonly Alert[] {
  return text
    .split(/^ {6}- alert: /m)
    .slice(1)
    .map((block) => {
      const one = (pattern: RegExp) => pattern.exec(block)?.[1]?.trim() ?? '';
      return {
        name: one(/^(\w+)/),
        expr: one(/^ {8}expr: ([^]*?)^ {8}\w+:/m),
        severity: one(/^ {10}severity: (.*)$/m),
        runbook: one(/^ {10}runbook: (.*)$/m),
      };
    });
}

const alerts = alertsOf(rules);

describe('the alert rules', () => {
  let known: Awaited<ReturnType<typeof programMetrics>>;
  beforeAll(async () => {
    known = await programMetrics();
  });

  test('are parsed completely', () => {
    expect(alerts.length).toBeGreaterThan(10);
    expect(alerts.filter(({ expr }) => metricsIn(expr).length === 0)).toEqual([]);
  });

  test('query only metrics and labels of the program', () => {
    expect(alerts.flatMap(({ expr }) => missingIn(expr, known))).toEqual([]);
  });

  test('have a severity and the runbook section of the same name', () => {
    for (const { name, severity, runbook } of alerts) {
      expect(['warning', 'critical']).toContain(severity);
      expect(runbook).toBe(`docs/operations/repair.md#${name.toLowerCase()}`);
    }
  });

  test('link to existing sections', () => {
    const anchors = anchorsOf(readFileSync(new URL('docs/operations/repair.md', root), 'utf8'));

    const lost = alerts.map(({ runbook }) => runbook.split('#')[1] ?? '');
    expect(lost.filter((anchor) => !anchors.has(anchor))).toEqual([]);
  });

  test('are each covered by a promtool test in which they fire', () => {
    const tested = [...ruleTests.matchAll(/alertname: (\w+)\n(?= +exp_alerts:\n)/g)];

    expect(new Set(tested.map(([, name]) => name))).toEqual(
      new Set(alerts.map(({ name }) => name)),
    );
  });
});
