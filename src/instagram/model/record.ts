import { decode } from './decode.ts';
import type { Fields } from './fields.ts';
import type { Node } from '../../engine/json.ts';
import { type Mapped, type Origin, provenance } from '../../engine/stream.ts';

/** Creates the mapping of a stream whose records are its nodes' declared fields. */
export function recordOf(fields: Fields): (node: Node, origin: Origin) => Mapped {
  return (node, origin) => {
    const { value, ...besides } = decode(fields, node);
    return { kind: 'record', record: { ...provenance(origin), ...value }, ...besides };
  };
}
