import type { Json, Node } from '../../src/engine/json.ts';
import { type Place, placesOf } from './places.ts';

/** What Meta says of a metric besides its values; no record has it. */
const descriptive = ['period', 'title', 'description', 'dimension_keys'];

/** The places of an example that the mapping looks at. */
export function checkedPlaces(node: Node): readonly Place[] {
  const isMetric = 'total_value' in node;
  return placesOf(node).filter(({ steps }) => {
    const inRecord = !steps.some((step) => descriptive.includes(String(step)));
    return !isMetric || (inRecord && steps[0] !== 'id');
  });
}

/** How a refusal names a place: a list of an expanded edge is refused as the edge; a dimension as its list. */
export function refusedPath({ path }: Place): string {
  return path.replace(/(\.dimension_values)\[\d+\]$/, '$1');
}

/** A value of another type, and one that a lenient mapping would take for the right one. */
export function wrongFor(value: Json): Json {
  if (typeof value === 'string') return 12.5;
  if (typeof value === 'number') return `${value} `;
  if (typeof value === 'boolean') return 'true';
  return 'a text';
}
