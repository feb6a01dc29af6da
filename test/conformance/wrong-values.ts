import type { Json, Node } from '../../src/engine/json.ts';
import { type Place, placesOf } from './places.ts';

/** Meta's descriptive fields of a metric; no record holds them. */
const descriptive = ['period', 'title', 'description', 'dimension_keys'];

/** The places of an example that the mapping reads. */
export function checkedPlaces(node: Node): readonly Place[] {
  const isMetric = 'total_value' in node;
  return placesOf(node).filter(({ steps }) => {
    const inRecord = !steps.some((step) => descriptive.includes(String(step)));
    return !isMetric || (inRecord && steps[0] !== 'id');
  });
}

/** The path in a rejection: the edge for its list, the list for a dimension. */
export function refusedPath({ path }: Place): string {
  return path.replace(/(\.dimension_values)\[\d+\]$/, '$1');
}

/** A value of another type, which a lenient mapping would accept. */
export function wrongFor(value: Json): Json {
  if (typeof value === 'string') return 12.5;
  if (typeof value === 'number') return `${value} `;
  if (typeof value === 'boolean') return 'true';
  return 'a text';
}
