import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { type Asked, startAsking } from './asking.ts';

/** Sends a request without a client that adds headers or decodes the body. */
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

describe('simulator HTTP answers', () => {
  it('are compressed for clients that accept gzip', async () => {
    await using asked = await startAsking();

    const plain = await askPlainly(asked, {});
    const zipped = await askPlainly(asked, { 'accept-encoding': 'gzip, br' });

    expect(plain.answer.headers['content-encoding']).toBeUndefined();
    expect(zipped.answer.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body).toString()).toBe(plain.body.toString());
  });

  it('have no ETag, and are complete even for If-None-Match', async () => {
    await using asked = await startAsking();

    const { answer } = await askPlainly(asked, { 'if-none-match': '*' });

    expect([answer.statusCode, answer.headers.etag]).toEqual([200, undefined]);
  });

  it('continue after a client disconnects within its request', async () => {
    await using asked = await startAsking();
    const { hostname, port } = new URL(asked.api.url);
    const head = 'POST /v25.0/ HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbatch=';
    const leaving = connect(Number(port), hostname);
    leaving.write(head, () => leaving.destroy());
    await once(leaving, 'close');

    expect((await asked.ask('/me')).status).toBe(200);
  });

  it('ignore the parameter pretty', async () => {
    await using asked = await startAsking();

    const { text } = await asked.ask('/me', { pretty: '1' });

    expect(text).toBe('{"name":"Pat Example","id":"122093456780123456"}');
  });
});
