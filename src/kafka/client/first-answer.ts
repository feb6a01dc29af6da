import type { Socket } from 'node:net';

/** A connection with a time limit for the first answer after a silence. */
export type WatchedSocket = ReturnType<typeof watchFirstAnswer>;

export interface FirstAnswerLimits {
  /** Time without a request or an answer after which a connection counts as idle. */
  readonly idleMs: number;
  /** Time limit of the answer to the first request after that. */
  readonly answerMs: number;
}

/** Requests that brokers answer only after a rebalance: JoinGroup, SyncGroup. */
const delayedApis: readonly number[] = [11, 14];

/**
 * Watches a connection to a broker; calls `onSilence` when the first request after a silence gets
 * no answer in time. Load balancers and firewalls forget a silent connection and then drop its
 * packets without closing it: it would look like a slow broker until the request times out, and
 * then be used again. A wrong guess costs one connection; the request is repeated on a new one.
 */
export function watchFirstAnswer(
  socket: Socket,
  { idleMs, answerMs }: FirstAnswerLimits,
  onSilence: () => void,
) {
  const countFrames = createFrameCounter();
  let pendingAnswers = 0;
  let lastMs = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const recordActivity = (): void => {
    lastMs = performance.now();
    clearTimeout(timer);
  };
  /** True when the connection has been silent and no answer is due. */
  const isIdle = (): boolean => pendingAnswers === 0 && performance.now() - lastMs >= idleMs;
  const write = socket.write.bind(socket);
  // kafkajs writes each request in one call.
  socket.write = (...request: unknown[]): boolean => {
    if (isIdle() && !isDelayed(request[0])) timer = setTimeout(onSilence, answerMs);
    pendingAnswers += 1;
    return Reflect.apply(write, socket, request) as boolean;
  };
  socket.once('connect', recordActivity);
  socket.once('secureConnect', recordActivity);
  socket.on('data', (chunk: Buffer) => {
    pendingAnswers = Math.max(0, pendingAnswers - countFrames(chunk));
    recordActivity();
  });
  socket.once('close', () => {
    clearTimeout(timer);
  });
  return { isIdle };
}

function isDelayed(request: unknown): boolean {
  return (
    Buffer.isBuffer(request) && request.length >= 6 && delayedApis.includes(request.readInt16BE(4))
  );
}

const lengthBytes = 4;

/** Counts the frames that end in each chunk: four bytes of length, then the body. */
function createFrameCounter(): (chunk: Buffer) => number {
  let head = Buffer.alloc(0);
  /** Missing bytes of the current body; null while its length is incomplete. */
  let left: number | null = null;
  return (chunk) => {
    let ended = 0;
    for (let offset = 0; offset < chunk.length || left === 0;) {
      if (left === null) {
        const part = chunk.subarray(offset, offset + lengthBytes - head.length);
        head = Buffer.concat([head, part]);
        offset += part.length;
        if (head.length < lengthBytes) break;
        left = head.readInt32BE(0);
        head = Buffer.alloc(0);
      } else {
        const taken = Math.min(left, chunk.length - offset);
        offset += taken;
        left -= taken;
        if (left > 0) break;
        ended += 1;
        left = null;
      }
    }
    return ended;
  };
}
