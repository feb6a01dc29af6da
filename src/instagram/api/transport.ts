import ky from 'ky';
import { readBounded } from '../../engine/read-bounded.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Null for a body over 32 MiB. */
  readonly body: Uint8Array | null;
}

/** The sender of single HTTP requests. Safe for concurrent use. */
export interface Transport {
  /**
   * Sends one GET. It does not retry and follows no redirect, so the token reaches no other host.
   * @throws the errors of ky and the platform. Never log them: they contain the URL and the token
   */
  get(url: string, accessToken: string | null, signal: AbortSignal): Promise<Answer>;
  /** Sends one POST of a form; otherwise the same as `get`. */
  post(
    url: string,
    form: URLSearchParams,
    accessToken: string | null,
    signal: AbortSignal,
  ): Promise<Answer>;
  /** Sends one DELETE; otherwise the same as `get`. */
  delete(url: string, accessToken: string | null, signal: AbortSignal): Promise<Answer>;
}

/** The bound of a body. A usual body has some kilobytes, a page of 100 media with children about a megabyte. */
const maxBodyBytes = 32 * 1024 * 1024;

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
    delete: async (url, accessToken, signal) =>
      readAnswer(await client.delete(url, { headers: authorization(accessToken), signal })),
  };
}

/** Sends the token in a header, never in the URL: proxies and errors repeat URLs (Invariant 9). */
function authorization(accessToken: string | null): Record<string, string> {
  return accessToken === null ? {} : { authorization: `Bearer ${accessToken}` };
}

async function readAnswer({ status, headers, body }: Response): Promise<Answer> {
  return { status, headers, body: await readBounded(body, maxBodyBytes) };
}
