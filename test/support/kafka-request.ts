import { connect } from 'node:net';
import { int32 } from './kafka-bytes.ts';
import { createFrames } from './kafka-frames.ts';

/**
 * Sends one request to a broker, on a connection of its own.
 *
 * @param request - header and body, without the length
 * @returns the answer, its length in front
 * @throws Error when the broker cannot be reached, closes the connection, or does not answer in time
 */
export async function ask(broker: string, request: Buffer, timeoutMs = 30_000): Promise<Buffer> {
  const [host = '', port = ''] = broker.split(':');
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = connect({ host, port: Number(port) });
  socket.setTimeout(timeoutMs, () => {
    reject(new Error(`${broker} did not answer within ${timeoutMs} ms`));
  });
  socket.on('error', reject);
  socket.on('close', () => {
    reject(new Error(`${broker} closed the connection`));
  });
  socket.on('data', createFrames(resolve));
  socket.write(Buffer.concat([int32(request.length), request]));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
