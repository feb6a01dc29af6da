import type { Socket } from 'node:net';

/** A connection whose first answer after a silence is waited for with a bound. */
export interface WatchedSocket {
  /** Reports whether the connection has been silent, and no answer is due. */
  isIdle(): boolean;
}

/** How the first answer is waited for. */
export interface FirstAnswerLimits {
  /** After so long without a request or an answer a connection counts as idle. */
  readonly idleMs: number;
  /** How long the answer to the first request after that may take. */
  readonly answerMs: number;
}

/** Requests whose answers brokers hold back while a group rebalances: JoinGroup, SyncGroup. */
const heldBack: readonly number[] = [11, 14];

/**
 * Watches a connection to a broker. Load balancers and firewalls forget a silent connection and then
 * drop what is sent on it, without an end: it would be taken for a slow broker until the request times out,
 * and used again. A wrong guess costs a connection, on which the request is sent again.
 *
 * @param onSilence called when the first request after a silence was not answered in time
 */
export function watchFirstAnswer(
  socket: Socket,
  { idleMs, answerMs }: FirstAnswerLimits,
  onSilence: () => void,
): WatchedSocket {
  const countFrames = createFrameCounter();
  let due = 0;
  let lastMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const note = (): void => {
    lastMs = performance.now();
    clearTimeout(timer);
  };
  const isIdle = (): boolean => due === 0 && performance.now() - lastMs >= idleMs;
  const write = socket.write.bind(socket);
  // kafkajs writes each request whole.
  socket.write = (...request: unknown[]): boolean => {
    if (isIdle() && !isHeldBack(request[0])) timer = setTimeout(onSilence, answerMs);
    due += 1;
    return Reflect.apply(write, socket, request) as boolean;
  };
  socket.once('connect', note);
  socket.once('secureConnect', note);
  socket.on('data', (chunk: Buffer) => {
    due = Math.max(0, due - countFrames(chunk));
    note();
  });
  socket.once('close', () => {
    clearTimeout(timer);
  });
  return { isIdle };
}

function isHeldBack(request: unknown): boolean {
  return (
    Buffer.isBuffer(request) && request.length >= 6 && heldBack.includes(request.readInt16BE(4))
  );
}

const lengthBytes = 4;

/** Counts the frames that end in each chunk: four bytes of length, then the body. */
function createFrameCounter(): (chunk: Buffer) => number {
  let head = Buffer.alloc(0);
  /** Bytes of the current body that have not come yet; null while its length has not. */
  let left: number | null = null;
  return (chunk) => {
    let ended = 0;
    for (let at = 0; at < chunk.length || left === 0;) {
      if (left === null) {
        const part = chunk.subarray(at, at + lengthBytes - head.length);
        head = Buffer.concat([head, part]);
        at += part.length;
        if (head.length < lengthBytes) break;
        left = head.readInt32BE(0);
        head = Buffer.alloc(0);
      } else {
        const taken = Math.min(left, chunk.length - at);
        at += taken;
        left -= taken;
        if (left > 0) break;
        ended += 1;
        left = null;
      }
    }
    return ended;
  };
}
