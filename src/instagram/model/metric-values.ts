import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { type Json, type Node, isNode, listOf } from '../../engine/json.ts';

/** The place of a metric in an answer. */
interface MetricPlace {
  readonly root: Node;
  /** `insights.data[2].`; empty when the metric is the root. */
  readonly prefix: string;
}

/** An entry of an insights answer. */
interface Metric {
  readonly name: string;
  readonly node: Node;
  readonly place: MetricPlace;
}

/**
 * Flattens the metrics of an insights answer (`data: [{name, values: [{value}], total_value}]`)
 * into one node, metric → value. A breakdown becomes `<metric>_actions`: its dimension → count. A
 * metric without a value is omitted: Meta sends an empty set rather than 0 for unknown values.
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
  for (const { name, node, place } of metricsOf(answer, root, rejected)) {
    const invalid: DeadLetterError[] = [];
    const value = readOrReject(invalid, () => metricValue(node, place));
    if (value !== undefined) flat.set(name, value);
    const actions = readOrReject(invalid, () => breakdownCounts(node, rejected, place));
    if (actions !== undefined) flat.set(`${name}_actions`, actions);
    // Both functions read `total_value`: report its error once.
    for (const [index, error] of invalid.entries()) {
      if (error.path !== invalid[index - 1]?.path) rejected.push(error);
    }
  }
  return Object.fromEntries(flat);
}

/**
 * Returns the entries of an insights answer, each an object with a name.
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
  const place = { root, prefix: 'insights.' };
  const data = isNode(answer) ? answer['data'] : undefined;
  const entries = listOf(data) ?? reject({ ...place, path: 'data' }, 'a list', data);
  return entries.flatMap((entry, index) => {
    const path = `data[${index}]`;
    const read = (): Metric => {
      const node = isNode(entry) ? entry : reject({ ...place, path }, 'an object', entry);
      const name = node['name'];
      if (typeof name !== 'string')
        return reject({ ...place, path: `${path}.name` }, 'a text', name);
      return { name, node, place: { root, prefix: `insights.${path}.` } };
    };
    return readOrReject(rejected, read) ?? [];
  });
}

function metricValue(metric: Node, place: MetricPlace): Json | undefined {
  const first = objectAt('values[0]', listAt('values', metric['values'], place)[0], place)?.[
    'value'
  ];
  if (first !== undefined) return numberAt('values[0].value', first, place);
  const total = objectAt('total_value', metric['total_value'], place)?.['value'];
  return numberAt('total_value.value', total, place);
}

/**
 * Maps a breakdown's results: the dimension values joined with a comma (`18-24,F`) → count. Results
 * with equal dimension values are added up: two cities of one name are two results.
 *
 * @param rejected - receives a dead letter for each invalid result, with its path
 * @returns undefined when the metric has no results
 * @throws DeadLetterError `mapping.invalid` when there is no list of results, or all of them are
 * invalid
 */
export function breakdownCounts(
  metric: Node,
  rejected: DeadLetterError[],
  place: MetricPlace = { root: metric, prefix: '' },
): Node | undefined {
  const breakdown = breakdownOf(metric, place);
  const results = listAt(resultsPath, breakdown?.['results'], place);
  if (results.length === 0) return undefined;
  // The names of the dimensions, in the order of their values.
  const keys = listAt(keysPath, breakdown?.['dimension_keys'], place);
  const timeframe = keys.indexOf('timeframe');
  const invalid: DeadLetterError[] = [];
  // A map, because a dimension value may be `__proto__`.
  const counts = new Map<string, number>();
  for (const [index, result] of results.entries()) {
    const path = `${resultsPath}[${index}]`;
    const row = readOrReject(invalid, () => rowOf(result, keys.length, { path, place }));
    if (row === undefined) continue;
    // The time frame is a parameter of the request, and equal in all results.
    const key = row.values.filter((_, position) => position !== timeframe).join(',');
    counts.set(key, (counts.get(key) ?? 0) + row.count);
  }
  // An empty map would mean a count of zero.
  if (counts.size === 0 && invalid[0] !== undefined) throw invalid[0];
  invalid.forEach((error) => rejected.push(error));
  return Object.fromEntries(counts);
}

interface BreakdownRow {
  readonly values: readonly string[];
  readonly count: number;
}

/** @param dimensions - the number of dimensions; 0 when the answer does not contain it */
function rowOf(
  result: Json,
  dimensions: number,
  { path, place }: { path: string; place: MetricPlace },
): BreakdownRow {
  if (!isNode(result)) return reject({ ...place, path }, 'an object', result);
  const values = result['dimension_values'];
  if (!isTexts(values) || values.length !== (dimensions || values.length)) {
    return reject(
      { ...place, path: `${path}.dimension_values` },
      'a text for each dimension',
      values,
    );
  }
  const count = result['value'];
  if (typeof count !== 'number' || !Number.isSafeInteger(count)) {
    return reject({ ...place, path: `${path}.value` }, 'a whole number within 2^53', count);
  }
  return { values, count };
}

const resultsPath = 'total_value.breakdowns[0].results';
const keysPath = 'total_value.breakdowns[0].dimension_keys';

function breakdownOf(metric: Node, place: MetricPlace): Node | undefined {
  const total = objectAt('total_value', metric['total_value'], place);
  const breakdowns = listAt('total_value.breakdowns', total?.['breakdowns'], place);
  return objectAt('total_value.breakdowns[0]', breakdowns[0], place);
}

function isTexts(value: Json | undefined): value is readonly string[] {
  const texts = Array.isArray(value) ? (value as readonly Json[]) : [];
  return texts.length > 0 && texts.every((item) => typeof item === 'string');
}

/** Reads an object; undefined when it is missing. PHP writes an empty object as an empty list. */
function objectAt(path: string, value: Json | undefined, place: MetricPlace): Node | undefined {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  return isNode(value) ? value : reject({ ...place, path }, 'an object', value);
}

/** Reads a list; a missing list counts as empty. */
function listAt(path: string, value: Json | undefined, place: MetricPlace): readonly Json[] {
  return value === undefined ? [] : (listOf(value) ?? reject({ ...place, path }, 'a list', value));
}

function numberAt(path: string, value: Json | undefined, place: MetricPlace): Json | undefined {
  if (value === undefined || value === null || typeof value === 'number') return value;
  return reject({ ...place, path }, 'a number', value);
}

interface ValuePlace extends MetricPlace {
  readonly path: string;
}

function reject(
  { root, prefix, path }: ValuePlace,
  expected: string,
  received: Json | undefined,
): never {
  throw invalidPart({ path: `${prefix}${path}`, expected, came: received, raw: root });
}
