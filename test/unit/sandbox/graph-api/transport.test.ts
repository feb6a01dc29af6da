import { describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import type { Asked } from './asking.ts';
import { startAsking } from './asking.ts';

/** Asks without a client that adds headers or decodes the body. */
async function askPlainly(
  { api, world }: Asked,
  headers: Readonly<Record<string, string>>,
): Promise<{ answer: IncomingMessage; body: Buffer }> {
  const url = `${api.url}/v25.0/me?access_token=${world.token}`;
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request(url, { headers }, resolve).on('error', reject).end();
  });
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { answer, body: Buffer.concat(chunks) };
}

describe('how the simulator sends its answers', () => {
  it('compresses for clients that take it', async () => {
    await using asked = await startAsking();

    const plain = await askPlainly(asked, {});
    const zipped = await askPlainly(asked, { 'accept-encoding': 'gzip, br' });

    expect(plain.answer.headers['content-encoding']).toBeUndefined();
    expect(zipped.answer.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body).toString()).toBe(plain.body.toString());
  });

  it('answers 304 without a body to who knows the answer, and counts it', async () => {
    await using asked = await startAsking();

    const { answer } = await askPlainly(asked, {});
    const { etag = '' } = answer.headers;
    const known = await askPlainly(asked, { 'if-none-match': etag });
    const other = await askPlainly(asked, { 'if-none-match': '"x"' });

    expect(etag).toMatch(/^"[0-9a-f]{40}"$/);
    expect([known.answer.statusCode, known.body.length]).toEqual([304, 0]);
    expect(other.answer.statusCode).toBe(200);
    expect(asked.api.ledger.entries.map(({ status }) => status)).toEqual([200, 304, 200]);
  });
});
