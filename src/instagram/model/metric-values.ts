import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { type Json, type Node, isNode, listOf } from '../../engine/json.ts';

/** The place of a metric in an answer. */
interface At {
  readonly root: Node;
  /** `insights.data[2].`; empty when the metric is the root. */
  readonly prefix: string;
}

/** An entry of an insights answer. */
interface Metric {
  readonly name: string;
  readonly node: Node;
  readonly at: At;
}

/**
 * The metrics of an insights answer (`data: [{name, values: [{value}], total_value}]`) as one flat
 * node, metric → value. A breakdown becomes `<metric>_actions`: its dimension → count. A metric
 * without a value is left out: Meta sends an empty set rather than 0 for unknown values.
 *
 * @param rejected - receives a dead letter for each metric of another shape, with its path
 * @throws DeadLetterError `mapping.invalid` when the answer holds no list of metrics
 */
export function metricValues(
  answer: Json | undefined,
  root: Node,
  rejected: DeadLetterError[],
): Node {
  const flat = new Map<string, Json>();
  for (const { name, node, at } of metricsOf(answer, root, rejected)) {
    const invalid: DeadLetterError[] = [];
    const value = readOrReject(invalid, () => metricValue(node, at));
    if (value !== undefined) flat.set(name, value);
    const actions = readOrReject(invalid, () => breakdownCounts(node, rejected, at));
    if (actions !== undefined) flat.set(`${name}_actions`, actions);
    // Both functions read `total_value`: report its error once.
    for (const [index, error] of invalid.entries()) {
      if (error.path !== invalid[index - 1]?.path) rejected.push(error);
    }
  }
  return Object.fromEntries(flat);
}

/**
 * The entries of an insights answer, each an object with a name.
 *
 * @param rejected - receives a dead letter for each invalid entry, with its path
 * @throws DeadLetterError `mapping.invalid` when the answer holds no list
 */
export function dataOf(
  answer: Json | undefined,
  root: Node,
  rejected: DeadLetterError[],
): readonly Node[] {
  return metricsOf(answer, root, rejected).map(({ node }) => node);
}

function metricsOf(
  answer: Json | undefined,
  root: Node,
  rejected: DeadLetterError[],
): readonly Metric[] {
  const at = { root, prefix: 'insights.' };
  const data = isNode(answer) ? answer['data'] : undefined;
  const entries = listOf(data) ?? reject({ ...at, path: 'data' }, 'a list', data);
  return entries.flatMap((entry, index) => {
    const path = `data[${index}]`;
    const read = (): Metric => {
      const node = isNode(entry) ? entry : reject({ ...at, path }, 'an object', entry);
      const name = node['name'];
      if (typeof name !== 'string') return reject({ ...at, path: `${path}.name` }, 'a text', name);
      return { name, node, at: { root, prefix: `insights.${path}.` } };
    };
    return readOrReject(rejected, read) ?? [];
  });
}

function metricValue(metric: Node, at: At): Json | undefined {
  const first = objectAt('values[0]', listAt('values', metric['values'], at)[0], at)?.['value'];
  if (first !== undefined) return numberAt('values[0].value', first, at);
  const total = objectAt('total_value', metric['total_value'], at)?.['value'];
  return numberAt('total_value.value', total, at);
}

/**
 * A breakdown's results as one map: the dimension values joined with a comma (`18-24,F`) → count.
 * Results of equal dimension values are added up: two cities of one name are two results.
 *
 * @param rejected - receives a dead letter for each invalid result, with its path
 * @returns undefined when the metric has no results
 * @throws DeadLetterError `mapping.invalid` when there is no list of results, or all of them are invalid
 */
export function breakdownCounts(
  metric: Node,
  rejected: DeadLetterError[],
  at: At = { root: metric, prefix: '' },
): Node | undefined {
  const breakdown = breakdownOf(metric, at);
  const results = listAt(resultsPath, breakdown?.['results'], at);
  if (results.length === 0) return undefined;
  // The names of the dimensions, in the order of their values.
  const keys = listAt(keysPath, breakdown?.['dimension_keys'], at);
  const timeframe = keys.indexOf('timeframe');
  const invalid: DeadLetterError[] = [];
  // A map, because a dimension value may be `__proto__`.
  const counts = new Map<string, number>();
  for (const [index, result] of results.entries()) {
    const path = `${resultsPath}[${index}]`;
    const row = readOrReject(invalid, () => rowOf(result, keys.length, { path, at }));
    if (row === undefined) continue;
    // The time frame is the one that was requested, and the same in all results.
    const key = row.values.filter((_, place) => place !== timeframe).join(',');
    counts.set(key, (counts.get(key) ?? 0) + row.count);
  }
  // An empty map would mean a count of zero.
  if (counts.size === 0 && invalid[0] !== undefined) throw invalid[0];
  invalid.forEach((error) => rejected.push(error));
  return Object.fromEntries(counts);
}

interface Row {
  readonly values: readonly string[];
  readonly count: number;
}

/** @param dimensions - the number of dimensions; 0 where the answer does not say */
function rowOf(result: Json, dimensions: number, { path, at }: { path: string; at: At }): Row {
  if (!isNode(result)) return reject({ ...at, path }, 'an object', result);
  const values = result['dimension_values'];
  if (!isTexts(values) || values.length !== (dimensions || values.length)) {
    return reject({ ...at, path: `${path}.dimension_values` }, 'a text for each dimension', values);
  }
  const count = result['value'];
  if (typeof count !== 'number' || !Number.isSafeInteger(count)) {
    return reject({ ...at, path: `${path}.value` }, 'a whole number within 2^53', count);
  }
  return { values, count };
}

const resultsPath = 'total_value.breakdowns[0].results';
const keysPath = 'total_value.breakdowns[0].dimension_keys';

function breakdownOf(metric: Node, at: At): Node | undefined {
  const total = objectAt('total_value', metric['total_value'], at);
  const breakdowns = listAt('total_value.breakdowns', total?.['breakdowns'], at);
  return objectAt('total_value.breakdowns[0]', breakdowns[0], at);
}

function isTexts(value: Json | undefined): value is readonly string[] {
  const texts = Array.isArray(value) ? (value as readonly Json[]) : [];
  return texts.length > 0 && texts.every((item) => typeof item === 'string');
}

/** An object, or undefined where it is missing; PHP writes an empty object as an empty list. */
function objectAt(path: string, value: Json | undefined, at: At): Node | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  return isNode(value) ? value : reject({ ...at, path }, 'an object', value);
}

/** A list; a missing one counts as empty. */
function listAt(path: string, value: Json | undefined, at: At): readonly Json[] {
  return value === undefined ? [] : (listOf(value) ?? reject({ ...at, path }, 'a list', value));
}

function numberAt(path: string, value: Json | undefined, at: At): Json | undefined {
  if (value === undefined || value === null || typeof value === 'number') return value;
  return reject({ ...at, path }, 'a number', value);
}

interface Place extends At {
  readonly path: string;
}

function reject({ root, prefix, path }: Place, expected: string, came: Json | undefined): never {
  throw invalidPart({ path: `${prefix}${path}`, expected, came, raw: root });
}
