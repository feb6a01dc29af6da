import type { IncomingMessage } from 'node:http';
import { json as readJson } from 'node:stream/consumers';
import { startHttpServer } from './http-server.ts';

/** An answer, as a status and a body; a text is sent as it is. */
export type RegistryReply = readonly [status: number, body: unknown];

/** What a test answers instead of the usual, by `METHOD /path?query` or `METHOD /path`; `silence` never answers. */
export type RegistryScript = Readonly<Record<string, RegistryReply | 'silence'>>;

/** A registry over HTTP whose answers a test decides; it begins empty and takes every schema. */
export interface RegistryServer extends AsyncDisposable {
  readonly url: string;
  /** Every request so far, as `METHOD /path`. */
  readonly asked: readonly string[];
  /** The `authorization` header of every request so far. */
  readonly authorizations: readonly (string | undefined)[];
  /** What each subject was given, in order. */
  readonly bodies: readonly { readonly request: string; readonly body: unknown }[];
}

const noSubject = { error_code: 40401, message: 'Subject not found.' } as const;

/** Answers like a Confluent registry without subjects; schemas get ids from `firstId` on. */
function createAnswers(firstId: number): (request: string, body: unknown) => RegistryReply {
  const ids = new Map<string, number>();
  const idOf = (schema: string): number => {
    const id = ids.get(schema) ?? firstId + ids.size;
    ids.set(schema, id);
    return id;
  };
  return (request, body) => {
    if (/^POST \/subjects\/[^/]+\/versions$/.test(request)) {
      return [200, { id: idOf((body as { schema: string }).schema) }];
    }
    const wanted = /^GET \/schemas\/ids\/(\d+)$/.exec(request)?.[1];
    const found = [...ids].find(([, id]) => String(id) === wanted);
    if (found !== undefined) return [200, { schema: found[0] }];
    if (request.startsWith('PUT /config/')) return [200, body];
    return [404, noSubject];
  };
}

/** Starts it; what `script` says comes before the usual. */
export async function startRegistryServer(
  script: RegistryScript = {},
  firstId = 1,
): Promise<RegistryServer> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const bodies: { request: string; body: unknown }[] = [];
  const answer = createAnswers(firstId);
  const server = await startHttpServer((seen, response, raw) => {
    const request = `${raw.method ?? ''} ${decodeURIComponent(seen.path)}`;
    asked.push(request);
    authorizations.push(seen.headers.authorization);
    void readBody(raw).then((body) => {
      if (body !== undefined) bodies.push({ request, body });
      const withQuery = `${raw.method ?? ''} ${decodeURIComponent(raw.url ?? '')}`;
      const reply = script[withQuery] ?? script[request] ?? answer(request, body);
      if (reply === 'silence') return;
      const [status, content] = reply;
      response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
      response.end(typeof content === 'string' ? content : JSON.stringify(content));
    });
  });
  return {
    url: server.url,
    asked,
    authorizations,
    bodies,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function readBody(raw: IncomingMessage): Promise<unknown> {
  return raw.method === 'GET' ? undefined : await readJson(raw);
}
