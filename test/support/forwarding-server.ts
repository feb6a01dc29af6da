import type { IncomingMessage, ServerResponse } from 'node:http';
import { type HttpServer, type SeenRequest, startHttpServer } from './http-server.ts';

/** Which requests something is done to. */
export type Matches = (request: SeenRequest) => boolean;

/** A request whose answer waits. */
export interface Held {
  /** Resolves when the request has come. */
  readonly met: Promise<void>;
  release(): void;
}

/** An answer in place of the target's own. */
export interface Replacement {
  readonly status: number;
  readonly body: string;
}

/** A way to an HTTP server on which answers wait, are replaced, or do not come at all. */
export interface ForwardingServer extends HttpServer {
  /** Lets the next request of a kind wait before it is passed on. */
  hold(matches: Matches): Held;
  /** Answers requests of a kind in the target's place. */
  replace(matches: Matches, answer: Replacement): void;
  /** While it is away every connection is cut. */
  setAway(away: boolean): void;
}

interface Hold {
  readonly matches: Matches;
  readonly meet: () => void;
  readonly released: Promise<void>;
}

/** Starts the way to a server. */
export async function startForwardingServer(target: string): Promise<ForwardingServer> {
  const holds: Hold[] = [];
  const replacements: { readonly matches: Matches; readonly answer: Replacement }[] = [];
  let away = false;
  const handle = async (request: SeenRequest, response: ServerResponse, raw: IncomingMessage) => {
    const index = holds.findIndex(({ matches }) => matches(request));
    const [hold] = index < 0 ? [] : holds.splice(index, 1);
    hold?.meet();
    await hold?.released;
    const replacement = replacements.find(({ matches }) => matches(request));
    if (replacement === undefined) await forward(target, { raw, response });
    else {
      response.writeHead(replacement.answer.status, { 'content-type': 'application/json' });
      response.end(replacement.answer.body);
    }
  };
  const server = await startHttpServer((request, response, raw) => {
    if (away) raw.socket.destroy();
    // Who asked may be gone by the time that the target answers.
    else handle(request, response, raw).catch(() => response.destroy());
  });
  return {
    ...server,
    hold(matches) {
      const met = Promise.withResolvers<undefined>();
      const released = Promise.withResolvers<undefined>();
      holds.push({
        matches,
        meet: () => {
          met.resolve(undefined);
        },
        released: released.promise,
      });
      return {
        met: met.promise,
        release: () => {
          released.resolve(undefined);
        },
      };
    },
    replace: (matches, answer) => replacements.push({ matches, answer }),
    setAway(now) {
      away = now;
    },
  };
}

async function forward(
  target: string,
  { raw, response }: { readonly raw: IncomingMessage; readonly response: ServerResponse },
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of raw) chunks.push(chunk as Buffer);
  const { authorization, 'content-type': contentType } = raw.headers;
  const answer = await fetch(`${target}${raw.url ?? ''}`, {
    method: raw.method ?? 'GET',
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    },
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  });
  const body = await answer.text();
  const headers = [...answer.headers].filter(
    ([name]) =>
      !['content-length', 'content-encoding', 'transfer-encoding', 'connection'].includes(name),
  );
  response.writeHead(answer.status, headers.flat());
  response.end(body);
}
