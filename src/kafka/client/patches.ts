/** Replacements of modules of kafkajs 2.2.4, by their paths in the package. */
export const patches = {
  'kafkajs/src/producer/groupMessagesPerPartition.js': () => groupMessages,
  'kafkajs/src/network/requestQueue/index.js': stopTimerWhenEmpty,
};

interface Grouping<Message> {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly messages: readonly Message[];
  readonly partitioner: (request: {
    readonly topic: string;
    readonly partitionMetadata: readonly unknown[];
    readonly message: Message;
  }) => number;
}

/**
 * Groups messages by partition, in their order, in linear time. kafkajs copies the list of a
 * partition for each message, which blocks the event loop for 25 ms with 5,000 messages.
 */
function groupMessages<Message>(grouping: Grouping<Message>): Record<number, Message[]> {
  const { topic, partitionMetadata, messages, partitioner } = grouping;
  const groups: Record<number, Message[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    (groups[partition] ??= []).push(message);
  }
  return groups;
}

interface TimedRequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * Returns a request queue of a connection with a timer that runs only while requests are pending.
 * The timer of kafkajs runs every millisecond while the connection is open, with a negative delay,
 * which makes Node warn.
 */
function stopTimerWhenEmpty(Original: new (...options: never[]) => TimedRequestQueue) {
  return class PatchedRequestQueue extends Original {
    override scheduleCheckPendingRequests(): void {
      if (this.pending.length > 0) super.scheduleCheckPendingRequests();
    }
  };
}

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
 * Turns messages of aborted transactions into control records. kafkajs assumes that the broker's
 * list is sorted, and so delivers aborted messages when transactions of several producers overlap.
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
