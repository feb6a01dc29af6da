/** A message as kafkajs decodes it from a fetch, including aborted messages and markers. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  /** True for a control record, which kafkajs hides but whose offset it counts. */
  isControlRecord: boolean;
}

/** The part of a fetch response for one partition. */
export interface FetchedPartition {
  readonly messages: readonly FetchedMessage[];
  /** Unordered. */
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
}

/** Key of a control record that marks an abort: version 0, type 0. */
const abortMarker = Buffer.from([0, 0, 0, 0]);

/**
 * Turns messages of aborted transactions into control records. kafkajs assumes that the broker's list is
 * sorted, and so delivers aborted messages when transactions of several producers overlap.
 */
export function hideAborted(partition: FetchedPartition): void {
  const pending = partition.abortedTransactions.toSorted((a, b) =>
    Number(BigInt(a.firstOffset) - BigInt(b.firstOffset)),
  );
  const aborting = new Set<string>();
  for (const message of partition.messages) {
    while (pending[0] !== undefined && BigInt(pending[0].firstOffset) <= BigInt(message.offset)) {
      aborting.add(pending[0].producerId);
      pending.shift();
    }
    const { producerId, inTransaction } = message.batchContext;
    if (!message.isControlRecord)
      message.isControlRecord = inTransaction && aborting.has(producerId);
    else if (message.key?.equals(abortMarker) === true) aborting.delete(producerId);
  }
  partition.abortedTransactions = [];
}

interface FetchResponse {
  decode(raw: unknown): Promise<{
    readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
  }>;
}

/** Versions of Fetch, from the first with transactions to the last that kafkajs 2.2.4 supports. */
const versions = [4, 5, 6, 7, 8, 9, 10, 11];

/** Patches every consumer of this process; kafkajs looks up its decoders for each response. */
export function correctCommittedReads(require: NodeJS.Require): void {
  for (const version of versions) {
    const path = `kafkajs/src/protocol/requests/fetch/v${version}/response`;
    const response = require(path) as FetchResponse;
    const decode = response.decode.bind(response);
    response.decode = async (raw) => {
      const decoded = await decode(raw);
      decoded.responses.flatMap(({ partitions }) => partitions).forEach(hideAborted);
      return decoded;
    };
  }
}
