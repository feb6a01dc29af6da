import { connect, type Socket } from 'node:net';
import type { SocketFactory } from '../../src/kafka/options.ts';

/** Numbers of Kafka's requests (the protocol's "api key"). */
export const apiKeys = { produce: 0, initProducerId: 22, endTxn: 26 } as const;

/** Sockets to a broker that lose what they are told to lose. */
export interface FaultySockets {
  readonly socketFactory: SocketFactory;
  /** Lets the next `times` requests reach the broker and loses its answers. */
  loseResponses(apiKey: number, times: number): void;
  /** Loses the next `times` requests before they reach the broker. */
  loseRequests(apiKey: number, times: number): void;
  /** Calls back when the next request of the kind is about to be written. */
  onceRequested(apiKey: number, callback: () => void): void;
  /** How many requests and responses were lost. */
  lost(): number;
}

/** Splits a stream into Kafka's frames: four bytes of length, then the body. */
function createFrames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let pending = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const end = 4 + pending.readInt32BE(0);
      onFrame(pending.subarray(0, end));
      pending = pending.subarray(end);
    }
  };
}

/** Makes the sockets; kafkajs writes one request at a time, which is what makes this simple. */
export function createFaultySockets(): FaultySockets {
  const losing = { responses: new Map<number, number>(), requests: new Map<number, number>() };
  const callbacks = new Map<number, () => void>();
  let lost = 0;
  const take = (budget: Map<number, number>, apiKey: number): boolean => {
    const left = budget.get(apiKey) ?? 0;
    if (left === 0) return false;
    budget.set(apiKey, left - 1);
    lost += 1;
    return true;
  };

  const spoil = (socket: Socket): void => {
    const muted = new Set<number>();
    const write = socket.write.bind(socket);
    socket.write = (payload: Uint8Array | string): boolean => {
      const request = Buffer.from(payload as Uint8Array);
      const apiKey = request.readInt16BE(4);
      callbacks.get(apiKey)?.();
      callbacks.delete(apiKey);
      if (take(losing.requests, apiKey)) return true;
      if (take(losing.responses, apiKey)) muted.add(request.readInt32BE(8));
      return write(request);
    };
    const emit = socket.emit.bind(socket) as (event: string, ...rest: unknown[]) => boolean;
    const push = createFrames((frame) => {
      if (!muted.delete(frame.readInt32BE(4))) emit('data', frame);
    });
    const filtered = (event: string, ...rest: unknown[]): boolean => {
      if (event !== 'data') return emit(event, ...rest);
      push(rest[0] as Buffer);
      return true;
    };
    socket.emit = filtered as Socket['emit'];
  };

  return {
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connect({ host, port, noDelay: true }, onConnect);
      spoil(socket);
      return socket;
    },
    loseResponses: (apiKey, times) => losing.responses.set(apiKey, times),
    loseRequests: (apiKey, times) => losing.requests.set(apiKey, times),
    onceRequested: (apiKey, callback) => callbacks.set(apiKey, callback),
    lost: () => lost,
  };
}
