import type { IncomingMessage, ServerResponse } from 'node:http';
import { text as bodyOf } from 'node:stream/consumers';
import { type HttpServer, type SeenRequest, startHttpServer } from '../../support/http-server.ts';

/** A request of an instance, from its arrival until its answer or its abort. */
export interface Visit {
  readonly instance: string;
  /** The requested accounts; empty for the account list. */
  readonly accounts: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
}

/** The state that all proxies to the API share. */
export interface Watch {
  readonly visits: Visit[];
  /** Accounts that are omitted from the list. */
  readonly hidden: Set<string>;
}

/** A proxy to the simulator for one instance, which records every request. */
export function watchApi(target: string, instance: string, watch: Watch): Promise<HttpServer> {
  const forward = async (
    request: SeenRequest,
    response: ServerResponse,
    raw: IncomingMessage,
  ): Promise<void> => {
    const fromMs = performance.now();
    let givenUpMs = Infinity;
    response.once('close', () => {
      givenUpMs = performance.now();
    });
    const url = new URL(request.path, target);
    url.search = new URLSearchParams(request.query).toString();
    const authorization = request.headers.authorization ?? '';
    const type = request.headers['content-type'] ?? '';
    const form = raw.method === 'POST' ? { method: 'POST', body: await bodyOf(raw) } : {};
    const headers = { authorization, ...(type === '' ? {} : { 'content-type': type }) };
    const answer = await fetch(url, { headers, ...form });
    const body = await answer.text();
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(request.path.endsWith('/me/accounts') ? without(body, watch.hidden) : body);
    const accounts = accountsOf(request);
    const toMs = Math.min(performance.now(), givenUpMs);
    watch.visits.push({ instance, accounts, fromMs, toMs });
  };
  return startHttpServer((request, response, raw) => {
    forward(request, response, raw).catch(() => response.destroy());
  });
}

/** Ids of accounts have 17 digits and this prefix; ids of media have others. */
function accountsOf({ path }: SeenRequest): readonly string[] {
  const id = path.split('/')[2] ?? '';
  return /^17841\d+$/.test(id) ? [id] : [];
}

function without(body: string, hidden: ReadonlySet<string>): string {
  const list = JSON.parse(body) as {
    readonly data: readonly { readonly instagram_business_account?: { readonly id: string } }[];
  };
  const data = list.data.filter(
    ({ instagram_business_account: account }) => account === undefined || !hidden.has(account.id),
  );
  return JSON.stringify({ ...list, data });
}
