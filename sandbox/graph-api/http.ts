import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** An answer in the bytes that are sent. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Ways in which an answer is cut off. */
export interface AnswerCut {
  readonly close?: 'middle';
  /** Number of bytes that are sent, as if complete. */
  readonly truncate?: number;
}

/** Reads a whole body. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

/** Sends an answer, compressed where the client accepts it and no cut applies. */
export function send(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  { status, headers, text }: WireAnswer,
  cut: AnswerCut = {},
): void {
  const whole = Buffer.from(text);
  const plain = cut.truncate === undefined ? whole : whole.subarray(0, cut.truncate);
  const cutting = cut.close !== undefined || cut.truncate !== undefined;
  const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const zipped = takesGzip && !cutting && plain.length > 0;
  const bytes = zipped ? gzipSync(plain) : plain;
  response.writeHead(status, {
    ...headers,
    ...(zipped ? { 'Content-Encoding': 'gzip' } : {}),
    'Content-Length': bytes.length,
  });
  if (cut.close === 'middle') {
    response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => {
      response.destroy();
    });
    return;
  }
  response.end(bytes);
}
