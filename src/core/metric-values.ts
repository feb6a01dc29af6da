import { DeadLetterError } from './errors.ts';
import type { Json, Node } from './json.ts';
import { describeJson, isNode } from './json.ts';

/** Where a metric stands in what came. */
interface At {
  readonly root: Node;
  /** `insights.data[2].`; empty when the metric is the root. */
  readonly prefix: string;
}

/**
 * The metrics of an insights answer (`data: [{name, values: [{value}], total_value}]`) as one flat
 * node, metric → value. A breakdown becomes `<metric>_actions`: its dimension → count. A metric
 * without a value is left out: Meta sends an empty set rather than 0 for what it does not know.
 *
 * @throws DeadLetterError `mapping.invalid` when the answer has another shape
 */
export function metricValues(answer: Json | undefined, root: Node): Node {
  const flat: Record<string, Json> = {};
  for (const [index, metric] of dataOf(answer, root).entries()) {
    const at = { root, prefix: `insights.data[${index}].` };
    const name = metric['name'];
    if (typeof name !== 'string') refuse('name', name, at);
    const value = metricValue(metric, at);
    if (value !== undefined) flat[name] = value;
    const actions = breakdownCounts(metric, at);
    if (actions !== undefined) flat[`${name}_actions`] = actions;
  }
  return flat;
}

/** The entries of an insights answer. */
export function dataOf(answer: Json | undefined, root: Node): readonly Node[] {
  const at = { root, prefix: 'insights.' };
  const data = isNode(answer) ? answer['data'] : undefined;
  if (!Array.isArray(data)) return refuse('data', data, at);
  return (data as readonly Json[]).map((entry, index) =>
    isNode(entry) ? entry : refuse(`data[${index}]`, entry, at),
  );
}

function metricValue(metric: Node, at: At): Json | undefined {
  const first = objectAt('values[0]', listAt('values', metric['values'], at)[0], at);
  const value = first?.['value'];
  return value === undefined
    ? objectAt('total_value', metric['total_value'], at)?.['value']
    : value;
}

/**
 * A breakdown's results as one map: the dimension values joined with a comma (`18-24,F`) → count.
 *
 * @returns undefined when the metric came without results
 * @throws DeadLetterError `mapping.invalid` when the results have another shape
 */
export function breakdownCounts(
  metric: Node,
  at: At = { root: metric, prefix: '' },
): Node | undefined {
  const results = resultsOf(metric, at);
  if (results.length === 0) return undefined;
  const timeframe = dimensionsOf(metric, at).indexOf('timeframe');
  const counts: Record<string, Json> = {};
  for (const [index, result] of results.entries()) {
    const path = `${resultsPath}[${index}]`;
    if (!isNode(result)) return refuse(path, result, at);
    const dimensions = result['dimension_values'];
    if (!isTexts(dimensions)) return refuse(`${path}.dimension_values`, dimensions, at);
    const count = result['value'];
    if (!Number.isSafeInteger(count)) return refuse(`${path}.value`, count, at);
    // It is the same in all of them, and what was asked.
    const told = dimensions.filter((_, place) => place !== timeframe);
    counts[told.join(',')] = count ?? null;
  }
  return counts;
}

const resultsPath = 'total_value.breakdowns[0].results';
const keysPath = 'total_value.breakdowns[0].dimension_keys';

function resultsOf(metric: Node, at: At): readonly Json[] {
  return listAt(resultsPath, breakdownOf(metric, at)?.['results'], at);
}

/** What the dimension values are, in their order. */
function dimensionsOf(metric: Node, at: At): readonly Json[] {
  return listAt(keysPath, breakdownOf(metric, at)?.['dimension_keys'], at);
}

function breakdownOf(metric: Node, at: At): Node | undefined {
  const total = objectAt('total_value', metric['total_value'], at);
  const breakdowns = listAt('total_value.breakdowns', total?.['breakdowns'], at);
  return objectAt('total_value.breakdowns[0]', breakdowns[0], at);
}

function isTexts(value: Json | undefined): value is readonly string[] {
  return (
    Array.isArray(value) && (value as readonly Json[]).every((item) => typeof item === 'string')
  );
}

/** An object or nothing; PHP writes an empty object as an empty list. */
function objectAt(path: string, value: Json | undefined, at: At): Node | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  return isNode(value) ? value : refuse(path, value, at);
}

/** A list; nothing counts as an empty one. */
function listAt(path: string, value: Json | undefined, at: At): readonly Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : refuse(path, value, at);
}

function refuse(name: string, came: Json | undefined, { root, prefix }: At): never {
  const path = `${prefix}${name}`;
  throw new DeadLetterError(
    'mapping.invalid',
    `field "${path}": not what an insights answer holds, got ${describeJson(came)}`,
    { path, raw: JSON.stringify(root) },
  );
}
