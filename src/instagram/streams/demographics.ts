import { decode } from '../model/decode.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { required, text } from '../model/fields.ts';
import type { Node, Value } from '../../engine/json.ts';
import { breakdownCounts } from '../model/metric-values.ts';
import { provenance, type Mapped, type Origin } from '../../engine/stream.ts';

/** The extractor adds `breakdown`; the API does not repeat it in the form of the request. */
const fields = { name: required(text), breakdown: required(text) };

/** Known fields of an insights answer that no record holds; they are not reported as unknown. */
const described = ['period', 'title', 'description', 'total_value', 'id'];

/** The breakdowns of all audiences, one per request. */
export const demographicBreakdowns = ['city', 'country', 'age,gender'] as const;

/**
 * Creates the mapping of a metric with one breakdown. An answer without results means too few
 * people: no record is published, and the answer is counted.
 *
 * @param asked - further parameters of the request, as fields of the record
 */
export function demographicsRecord(asked: Value = {}): (node: Node, origin: Origin) => Mapped {
  return (node, origin) => {
    const { value: metric, unknown } = decode(fields, node);
    const rejected: DeadLetterError[] = [];
    const value = breakdownCounts(node, rejected);
    if (value === undefined) return { kind: 'skipped', reason: 'graph.not-enough-users' };
    return {
      kind: 'record',
      record: {
        ...provenance(origin),
        metric: metric['name'] ?? null,
        breakdown: metric['breakdown'] ?? null,
        ...asked,
        value,
      },
      unknown: unknown.filter((field) => !described.includes(field)),
      rejected,
    };
  };
}
