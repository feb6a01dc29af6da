import { describe, expect, test } from '@jest/globals';
import { createOauthbearer } from '../../../../src/kafka/client/oauthbearer.ts';
import { classify } from '../../../../src/kafka/client/errors.ts';

/** Logs in at a broker that answers so; returns the messages that it received. */
async function logIn(answers: readonly (string | Error)[]) {
  const received: string[] = [];
  const token = () => Promise.resolve({ value: 'the-token', extensions: { pool: 'p-1', x: 'y' } });
  const authenticator = createOauthbearer(token).authenticationProvider({
    host: 'broker',
    port: 1,
    logger: undefined as never,
    saslAuthenticate: async ({ request, response }) => {
      const bytes = await request.encode();
      expect(bytes.readInt32BE()).toBe(bytes.length - 4);
      const answer = answers[received.length] ?? '';
      received.push(bytes.toString('utf8', 4));
      if (answer instanceof Error) throw answer;
      const length = Buffer.alloc(4);
      length.writeInt32BE(Buffer.byteLength(answer));
      const raw = Buffer.concat([length, Buffer.from(answer)]);
      return response?.parse(await response.decode(raw));
    },
  });
  const error: unknown = await authenticator.authenticate().catch((reason: unknown) => reason);
  return { received, error };
}

describe('a login by OAUTHBEARER', () => {
  test('sends the token and its extensions as RFC 7628 writes them', async () => {
    const { received, error } = await logIn(['']);

    expect(error).toBeUndefined();
    expect(received).toEqual(['n,,\u0001auth=Bearer the-token\u0001pool=p-1\u0001x=y\u0001\u0001']);
  });

  test('fails when the broker answers with a challenge, which it confirms', async () => {
    const { received, error } = await logIn(['{"status":"invalid_token"}', new Error('failed')]);

    expect(received.slice(1)).toEqual(['\u0001']);
    expect(classify(error)).toBe('unauthenticated');
    expect(String(error)).toMatch(/the broker rejects the token: \{"status":"invalid_token"\}/);
  });

  test('passes on the error of a broker or of a connection', async () => {
    const cut = new Error('Closed connection');

    expect(await logIn([cut])).toMatchObject({ error: cut });
  });
});
