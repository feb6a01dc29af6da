import { DeadLetterError } from './errors.ts';
import type { Json, Node } from './json.ts';
import { describeJson, isNode } from './json.ts';

/**
 * The metrics of an insights answer (`data: [{name, values: [{value}], total_value}]`) as one flat
 * node, metric → value. A breakdown becomes `<metric>_actions`: its dimension → count. A metric
 * without a value is left out: Meta sends an empty set rather than 0 for what it does not know.
 *
 * @throws DeadLetterError `mapping.invalid` when the answer has another shape
 */
export function metricValues(answer: Json | undefined, root: Node): Node {
  const flat: Record<string, Json> = {};
  for (const metric of dataOf(answer, root)) {
    const name = metric['name'];
    if (typeof name !== 'string') refuse('insights.data[].name', name, root);
    const value = metricValue(metric);
    if (value !== undefined) flat[name] = value;
    const actions = breakdownCounts(metric);
    if (actions !== undefined) flat[`${name}_actions`] = actions;
  }
  return flat;
}

/** The entries of an insights answer. */
export function dataOf(answer: Json | undefined, root: Node): readonly Node[] {
  const data = isNode(answer) ? answer['data'] : undefined;
  if (!Array.isArray(data)) return refuse('insights.data', data, root);
  return (data as readonly Json[]).map((entry, index) =>
    isNode(entry) ? entry : refuse(`insights.data[${index}]`, entry, root),
  );
}

function metricValue(metric: Node): Json | undefined {
  const values = metric['values'];
  const first = Array.isArray(values) ? (values as readonly Json[])[0] : undefined;
  if (isNode(first) && first['value'] !== undefined) return first['value'];
  const total = metric['total_value'];
  return isNode(total) ? total['value'] : undefined;
}

/**
 * A breakdown's results as one map: the dimension values joined with a comma (`18-24,F`) → count.
 *
 * @returns undefined when the metric came without results
 */
export function breakdownCounts(metric: Node): Node | undefined {
  const results = resultsOf(metric);
  if (results.length === 0) return undefined;
  const counts: Record<string, Json> = {};
  for (const result of results) {
    const dimensions = isNode(result) ? result['dimension_values'] : undefined;
    if (!isNode(result) || !Array.isArray(dimensions)) {
      return refuse('total_value.breakdowns[0].results[]', result, metric);
    }
    counts[dimensions.join(',')] = result['value'] ?? null;
  }
  return counts;
}

function resultsOf(metric: Node): readonly Json[] {
  const total = metric['total_value'];
  const breakdowns = isNode(total) ? total['breakdowns'] : undefined;
  const first = Array.isArray(breakdowns) ? (breakdowns as readonly Json[])[0] : undefined;
  const results = isNode(first) ? first['results'] : undefined;
  return Array.isArray(results) ? (results as readonly Json[]) : [];
}

function refuse(path: string, came: Json | undefined, root: Node): never {
  throw new DeadLetterError(
    'mapping.invalid',
    `field "${path}": not what an insights answer holds, got ${describeJson(came)}`,
    { path, raw: JSON.stringify(root) },
  );
}
