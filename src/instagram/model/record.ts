import { decode } from './decode.ts';
import type { Fields } from './fields.ts';
import type { Node } from '../../engine/json.ts';
import type { Mapped, Origin } from '../../engine/stream.ts';

/** The fields that every record carries: whose it is and when it was asked for. */
export function provenance(origin: Origin) {
  return {
    business_account_id: origin.account.id,
    page_id: origin.account.pageId,
    polled_at: origin.polledAtMs,
  };
}

/** The mapping of a stream whose records are its nodes' declared fields. */
export function recordOf(fields: Fields): (node: Node, origin: Origin) => Mapped {
  return (node, origin) => {
    const { value, ...besides } = decode(fields, node);
    return { kind: 'record', record: { ...provenance(origin), ...value }, ...besides };
  };
}
