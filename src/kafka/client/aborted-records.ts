import { createRequire } from 'node:module';

/** A message as kafkajs decodes it from a fetch; aborted ones and markers are among them. */
export interface FetchedMessage {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
  /** kafkajs shows nobody a control record, and counts its offset all the same. */
  isControlRecord: boolean;
}

/** What a fetch has of one partition. */
export interface FetchedPartition {
  readonly messages: readonly FetchedMessage[];
  /** In no order. */
  abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
}

/** A control record's key: version 0, and 0 for an abort. */
const abortMarker = Buffer.from([0, 0, 0, 0]);

/**
 * Makes control records of the messages of aborted transactions, and leaves no transaction for kafkajs
 * to look for: its own filter takes the broker's list for sorted, and so shows aborted messages where
 * transactions of several producers overlap.
 */
export function hideAborted(partition: FetchedPartition): void {
  const left = partition.abortedTransactions.toSorted((a, b) =>
    Number(BigInt(a.firstOffset) - BigInt(b.firstOffset)),
  );
  const aborting = new Set<string>();
  for (const message of partition.messages) {
    while (left[0] !== undefined && BigInt(left[0].firstOffset) <= BigInt(message.offset)) {
      aborting.add(left[0].producerId);
      left.shift();
    }
    if (message.isControlRecord) endTransaction(message, aborting);
    else if (isAborted(message, aborting)) message.isControlRecord = true;
  }
  partition.abortedTransactions = [];
}

function endTransaction({ key, batchContext }: FetchedMessage, aborting: Set<string>): void {
  if (key?.equals(abortMarker) === true) aborting.delete(batchContext.producerId);
}

function isAborted({ batchContext }: FetchedMessage, aborting: ReadonlySet<string>): boolean {
  return batchContext.inTransaction && aborting.has(batchContext.producerId);
}

interface FetchResponse {
  decode(raw: unknown): Promise<{
    readonly responses: readonly { readonly partitions: readonly FetchedPartition[] }[];
  }>;
}

/** From the first that knows transactions to the last that kafkajs 2.2.4 speaks. */
const versions = [4, 5, 6, 7, 8, 9, 10, 11];

let corrected = false;

/** Corrects every consumer of this process, once; kafkajs looks its decoders up at each answer. */
export function correctCommittedReads(): void {
  if (corrected) return;
  corrected = true;
  const require = createRequire(import.meta.url);
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
