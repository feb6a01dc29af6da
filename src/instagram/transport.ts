import ky from 'ky';

/** What came back, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Null when it was longer than the bound. */
  readonly body: Uint8Array | null;
}

/** One HTTP GET with a token. Safe for concurrent use. */
export interface Transport {
  /**
   * Makes one request: no retry, and no redirect is followed, so that the token goes nowhere else.
   *
   * @throws what ky and the platform throw: not fit to be shown, their messages hold the URL and
   * their fields the token
   * @remarks Aborting `signal` ends the request, in its body too.
   */
  get(url: string, accessToken: string, signal: AbortSignal): Promise<Answer>;
}

/** A body of the API is some kilobytes, a page of 100 media with children about a megabyte. */
const maxBodyBytes = 32 * 1024 * 1024;

/** Opens nothing yet. */
export function createTransport(): Transport {
  const client = ky.create({
    headers: { accept: 'application/json', 'user-agent': 'instagram-kafka-producer' },
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    redirect: 'manual',
  });
  return {
    async get(url, accessToken, signal) {
      // In a header and never in the URL, which proxies and errors repeat (Invariant 9).
      const headers = { authorization: `Bearer ${accessToken}` };
      const response = await client.get(url, { headers, signal });
      return {
        status: response.status,
        headers: response.headers,
        body: await readBody(response.body),
      };
    },
  };
}

/** Counts what arrives decompressed: `Content-Length` may be missing, or tell of gzip. */
async function readBody(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (body === null) return new Uint8Array();
  // Leaving the loop cancels the stream, and so the connection.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
