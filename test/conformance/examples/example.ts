import type { Node } from '../../../src/engine/json.ts';

/** A node of a stream as its extractor hands it to the mapping; all values are made up. */
export interface Example {
  /** Every field that the stream declares, filled. */
  readonly node: Node;
  /** Only the required fields. */
  readonly minimal: Node;
  /** The key of the node's record. */
  readonly key: string;
  /** Paths of the required parts of the node, as errors name them. */
  readonly required: readonly string[];
}
