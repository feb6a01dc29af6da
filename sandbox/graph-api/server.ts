import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerAdmin } from './admin.ts';
import { encodeJson } from './json.ts';
import type { Ledger } from './ledger.ts';
import { createLedger } from './ledger.ts';
import { respond } from './respond.ts';
import type { World } from './world/model.ts';

/** What the simulator serves and where. */
export interface GraphApiOptions {
  readonly world: World;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: loopback. */
  readonly host?: string;
}

/** A running simulator; disposing it closes its port and its connections. */
export interface GraphApi extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  readonly world: World;
  readonly ledger: Ledger;
}

/**
 * Starts the simulator of the Instagram Graph API: one HTTP server for both hosts; the token says
 * which dialect it answers in. Its own endpoints stand below `/_sandbox/`.
 */
export async function startGraphApi({
  world,
  port = 0,
  host = '127.0.0.1',
}: GraphApiOptions): Promise<GraphApi> {
  const ledger = createLedger();
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    void serve(request, response, { world, ledger, number: requests });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}`,
    world,
    ledger,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    },
  };
}

interface Serving {
  readonly world: World;
  readonly ledger: Ledger;
  /** Counts requests; no two have the same. */
  readonly number: number;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving,
): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'localhost'}`);
  const body = await readBody(request);
  const admin = /^\/_sandbox\/([\w-]+)$/.exec(url.pathname)?.[1];
  if (admin !== undefined) {
    const answer = answerAdmin({ method: request.method ?? '', name: admin, body }, serving);
    send(response, { ...answer, headers: { 'Content-Type': 'application/json' } });
    return;
  }
  send(
    response,
    respond(
      {
        method: request.method ?? 'GET',
        url,
        authorization: request.headers.authorization ?? '',
        number: serving.number,
      },
      serving,
    ),
  );
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function send(
  response: ServerResponse,
  answer: {
    status: number;
    headers: Record<string, string>;
    body: Parameters<typeof encodeJson>[0];
  },
): void {
  const text = Buffer.from(encodeJson(answer.body));
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': text.length });
  response.end(text);
}
