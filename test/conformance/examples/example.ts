import type { Node } from '../../../src/engine/json.ts';

/** A node of a stream as its extractor hands it to the mapping; all values are made up. */
export interface Example {
  /** Every field that the stream declares, filled. */
  readonly node: Node;
  /** Only what must be there. */
  readonly minimal: Node;
  /** The key of the node's record. */
  readonly key: string;
  /** Places of the node without which it is refused, as errors name them. */
  readonly required: readonly string[];
}
