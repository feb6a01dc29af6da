import { collectDefaultMetrics, Registry } from 'prom-client';
import { initialHealth } from '../../../src/observability/health.ts';
import { registerMetrics } from '../../../src/observability/metrics.ts';

/** Every series name that `/metrics` may have, with the labels of its metric. */
export async function programMetrics(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerMetrics(registry, { health: () => initialHealth({}), nowMs: () => 0, version: '1.0.0' });
  const metrics = await registry.getMetricsAsJSON();
  return new Map(
    metrics.flatMap(({ name, type }) => {
      const { labelNames } = registry.getSingleMetric(name) as unknown as {
        labelNames?: readonly string[];
      };
      const labels = new Set([...(labelNames ?? []), ...scraped]);
      if (String(type) !== 'histogram') return [[name, labels] as const];
      return ['_bucket', '_sum', '_count'].map((end) => [`${name}${end}`, labels] as const);
    }),
  );
}

/** Labels that Prometheus adds. */
const scraped = ['job', 'instance'];

/** The metrics that an expression of PromQL asks for, each with the labels that it selects by. */
export function metricsIn(expression: string): readonly (readonly [string, readonly string[]])[] {
  const selectors = expression.matchAll(
    /\b((?:instagram_kafka|nodejs|process)_[a-z0-9_]+)(?:\{([^}]*)\})?/g,
  );
  return [...selectors].map(([, name = '', matchers = '']) => {
    const labels = [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return [name, labels] as const;
  });
}

/** The metrics and labels of an expression that the program lacks, as text. */
export function missingIn(
  expression: string,
  known: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  return metricsIn(expression).flatMap(([name, labels]) => {
    const has = known.get(name);
    if (has === undefined) return [name];
    return labels.filter((label) => !has.has(label)).map((label) => `${name}{${label}}`);
  });
}
