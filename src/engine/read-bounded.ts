/**
 * The body of an answer, chunk by chunk, as one piece; null when it has more than `maxBytes`. The rest
 * of it is then not read: leaving the loop ends the stream, and with it the connection.
 *
 * @param body - decompressed: `Content-Length` may be missing, or be the compressed length
 */
export async function readBounded(
  body: AsyncIterable<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return null;
    chunks.push(chunk);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
