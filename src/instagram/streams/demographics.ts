import { decode } from '../model/decode.ts';
import type { DeadLetterError } from '../../engine/errors.ts';
import { required, text } from '../model/fields.ts';
import type { Node, Value } from '../../engine/json.ts';
import { breakdownCounts } from '../model/metric-values.ts';
import { provenance, type Mapped, type Origin } from '../../engine/stream.ts';

/** `breakdown` was put there by the request; the API does not repeat it as it was asked. */
const fields = { name: required(text), breakdown: required(text) };

/** What else an insights answer says of a metric; none of it is news to anybody. */
const described = ['period', 'title', 'description', 'total_value', 'id'];

/** The breakdowns that all audiences are asked by, one a request. */
export const demographicBreakdowns = ['city', 'country', 'age,gender'] as const;

/**
 * The mapping of a metric with one breakdown. Where Meta answers without results, there are too few
 * people: no record, counted.
 *
 * @param asked - what the request said besides, as fields of the record
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
