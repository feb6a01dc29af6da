import ky from 'ky';
import { readBounded } from '../../engine/read-bounded.ts';

/** An HTTP answer of any status. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Null when it was longer than 32 MiB. */
  readonly body: Uint8Array | null;
}

/** Single HTTP requests. Safe for concurrent use. */
export interface Transport {
  /**
   * Sends one GET, with a token or without. There is no retry, and no redirect is followed, so that
   * the token reaches no other host.
   *
   * @throws the errors of ky and the platform. Never log them: their messages contain the URL, and
   * their fields the token
   * @remarks Aborting `signal` ends the request, in its body too.
   */
  get(url: string, accessToken: string | null, signal: AbortSignal): Promise<Answer>;
  /** Sends one POST of a form, otherwise as `get`. */
  post(
    url: string,
    form: URLSearchParams,
    accessToken: string | null,
    signal: AbortSignal,
  ): Promise<Answer>;
}

/** A usual body has some kilobytes, a page of 100 media with children about a megabyte. */
const maxBodyBytes = 32 * 1024 * 1024;

/** Creates a transport; opens no connection yet. */
export function createTransport(): Transport {
  const client = ky.create({
    headers: { accept: 'application/json', 'user-agent': 'instagram-kafka-producer' },
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    redirect: 'manual',
  });
  return {
    get: async (url, accessToken, signal) =>
      readAnswer(await client.get(url, { headers: authorization(accessToken), signal })),
    post: async (url, body, accessToken, signal) =>
      readAnswer(await client.post(url, { body, headers: authorization(accessToken), signal })),
  };
}

/** The token is sent in a header, never in the URL, which proxies and errors repeat (Invariant 9). */
function authorization(accessToken: string | null): Record<string, string> {
  return accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
}

async function readAnswer({ status, headers, body }: Response): Promise<Answer> {
  return { status, headers, body: await readBounded(body, maxBodyBytes) };
}
