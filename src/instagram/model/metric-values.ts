import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { type Json, type Node, isNode, listOf } from '../../engine/json.ts';

/** Reads parts of an answer below a path; a part of another shape is rejected by its whole path. */
class PartReader {
  readonly #root: Node;
  readonly #prefix: string;

  /** @param prefix - `insights.data[2].`; empty when the metric is the root */
  constructor(root: Node, prefix: string) {
    this.#root = root;
    this.#prefix = prefix;
  }

  at(path: string): PartReader {
    return new PartReader(this.#root, `${this.#prefix}${path}.`);
  }

  /** Reads an object; undefined when it is missing. PHP writes an empty object as an empty list. */
  object(path: string, value: Json | undefined): Node | undefined {
    if (value === undefined || value === null) return undefined;
    if (Array.isArray(value) && value.length === 0) return undefined;
    return isNode(value) ? value : this.reject(path, 'an object', value);
  }

  /** Reads a list; a missing list counts as empty. */
  list(path: string, value: Json | undefined): readonly Json[] {
    return value === undefined ? [] : (listOf(value) ?? this.reject(path, 'a list', value));
  }

  number(path: string, value: Json | undefined): Json | undefined {
    if (value === undefined || value === null || typeof value === 'number') return value;
    return this.reject(path, 'a number', value);
  }

  reject(path: string, expected: string, received: Json | undefined): never {
    const part = { path: `${this.#prefix}${path}`, expected, received, raw: this.#root };
    throw invalidPart(part);
  }
}

interface Metric {
  readonly name: string;
  readonly node: Node;
  readonly reader: PartReader;
}

/**
 * Flattens the metrics of an insights answer (`data: [{name, values: [{value}], total_value}]`)
 * into one node, metric → value. A breakdown becomes `<metric>_actions`: its dimension → count. A
 * metric without a value is omitted: Meta sends an empty set rather than 0 for unknown values.
 * @param rejected - receives a dead letter for each metric of another shape, with its path
 * @throws DeadLetterError `mapping.invalid` when the answer holds no list of metrics
 */
export function metricValues(
  answer: Json | undefined,
  root: Node,
  rejected: DeadLetterError[],
): Node {
  const flat = new Map<string, Json>();
  for (const { name, node, reader } of metricsOf(answer, root, rejected)) {
    const invalid: DeadLetterError[] = [];
    const value = readOrReject(invalid, () => metricValue(node, reader));
    if (value !== undefined) flat.set(name, value);
    const actions = readOrReject(invalid, () => breakdownCounts(node, rejected, reader));
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
  const insights = new PartReader(root, 'insights.');
  const data = isNode(answer) ? answer['data'] : undefined;
  const entries = listOf(data) ?? insights.reject('data', 'a list', data);
  return entries.flatMap((entry, index) => {
    const path = `data[${index}]`;
    const read = (): Metric => {
      const node = isNode(entry) ? entry : insights.reject(path, 'an object', entry);
      const { name } = node;
      if (typeof name !== 'string') return insights.reject(`${path}.name`, 'a text', name);
      return { name, node, reader: insights.at(path) };
    };
    return readOrReject(rejected, read) ?? [];
  });
}

function metricValue(metric: Node, reader: PartReader): Json | undefined {
  const [first] = reader.list('values', metric['values']);
  const value = reader.object('values[0]', first)?.['value'];
  if (value !== undefined) return reader.number('values[0].value', value);
  const total = reader.object('total_value', metric['total_value']);
  return reader.number('total_value.value', total?.['value']);
}

/**
 * Maps a breakdown's results: the dimension values joined with a comma (`18-24,F`) → count. Results
 * with equal dimension values are added up: two cities of one name are two results.
 * @returns undefined when the metric has no results
 * @throws DeadLetterError `mapping.invalid` without a list of results, or when all are invalid
 */
export function breakdownCounts(
  metric: Node,
  rejected: DeadLetterError[],
  reader = new PartReader(metric, ''),
): Node | undefined {
  const total = reader.object('total_value', metric['total_value']);
  const [first] = reader.list('total_value.breakdowns', total?.['breakdowns']);
  const breakdown = reader.object(breakdownPath, first) ?? {};
  const results = reader.list(`${breakdownPath}.results`, breakdown['results']);
  if (results.length === 0) return undefined;
  // The names of the dimensions, in the order of their values.
  const keys = reader.list(`${breakdownPath}.dimension_keys`, breakdown['dimension_keys']);
  const timeframe = keys.indexOf('timeframe');
  const invalid: DeadLetterError[] = [];
  // A map, because a dimension value may be `__proto__`.
  const counts = new Map<string, number>();
  for (const [index, result] of results.entries()) {
    const row = readOrReject(invalid, () => rowOf(result, keys.length, { index, reader }));
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

const breakdownPath = 'total_value.breakdowns[0]';

/** @param dimensions - the number of dimensions; 0 when the answer does not contain it */
function rowOf(
  result: Json,
  dimensions: number,
  { index, reader }: { readonly index: number; readonly reader: PartReader },
): { readonly values: readonly string[]; readonly count: number } {
  const path = `${breakdownPath}.results[${index}]`;
  if (!isNode(result)) return reader.reject(path, 'an object', result);
  const { dimension_values: values, value: count } = result;
  if (!isTexts(values) || values.length !== (dimensions || values.length)) {
    return reader.reject(`${path}.dimension_values`, 'a text for each dimension', values);
  }
  if (typeof count !== 'number' || !Number.isSafeInteger(count)) {
    return reader.reject(`${path}.value`, 'a whole number within 2^53', count);
  }
  return { values, count };
}

function isTexts(value: Json | undefined): value is readonly string[] {
  const texts = Array.isArray(value) ? (value as readonly Json[]) : [];
  return texts.length > 0 && texts.every((item) => typeof item === 'string');
}
