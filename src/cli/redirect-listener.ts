import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { StopProcessError } from '../engine/errors.ts';

export interface BrowserPage {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

/**
 * Handles the URL of an OAuth authorization response and returns the page for the browser;
 * undefined if the URL is not one, such as that of /favicon.ico.
 */
export type OnAuthorizationResponse = (url: URL) => Promise<BrowserPage | undefined>;

/** True for a redirect URI on this machine, where a listener can bind. */
export function isLocal({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/**
 * Listens at a redirect URI, on loopback alone, and answers its path with the page of the handler.
 * Requests that are no authorization response get 404.
 * @throws StopProcessError `config.invalid` when it cannot listen
 */
export async function listenForRedirect(
  redirectUri: URL,
  onAuthorizationResponse: OnAuthorizationResponse,
): Promise<AsyncDisposable> {
  const serve = async (path: string, response: ServerResponse): Promise<void> => {
    const url = URL.parse(path, redirectUri.origin);
    const isRedirect = url?.pathname === redirectUri.pathname;
    const page = url !== null && isRedirect ? await onAuthorizationResponse(url) : undefined;
    send(response, page ?? { status: 404, title: 'Not found', text: '' });
  };
  const port = redirectUri.port === '' ? 80 : Number(redirectUri.port);
  const { hostname } = redirectUri;
  // `localhost` may resolve to 127.0.0.1 or ::1: listen on both, so that no other process can
  // receive the authorization code.
  const hosts =
    hostname === 'localhost' ? ['127.0.0.1', '::1'] : [hostname.replaceAll(/[[\]]/g, '')];
  await using stack = new AsyncDisposableStack();
  for (const host of hosts) {
    const server = createServer((request, response) => {
      void serve(request.url ?? '/', response);
    });
    if (await listen(server, { port, host })) stack.use(server);
  }
  return stack.move();
}

/** Errors of `::1` on a machine without IPv6, where no process can listen. */
const withoutIpv6 = ['EADDRNOTAVAIL', 'EAFNOSUPPORT'];

interface BindAddress {
  readonly host: string;
  readonly port: number;
}

/** @returns false when this machine has no such address */
async function listen(server: Server, bindTo: BindAddress): Promise<boolean> {
  server.listen(bindTo);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (bindTo.host === '::1' && withoutIpv6.includes(code)) return false;
    throw new StopProcessError('config.invalid', describeListenError(bindTo, code), {
      exitCode: 2,
    });
  }
}

const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop the program that uses the port, or set',
  EACCES: 'ports below 1024 need privileges; set',
};

/** @param code - the error code of Node, such as `EACCES` */
export function describeListenError({ host, port }: BindAddress, code: string): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const advice = listenAdvice[code] ?? 'set';
  return `INSTAGRAM_REDIRECT_URI: cannot listen on ${address} (${code}): ${advice} another port here and in the app's valid OAuth redirect URIs`;
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
}

function send(response: ServerResponse, { status, title, text }: BrowserPage): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36rem;padding:0 1rem}</style></head>
<body><main><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p></main></body>
</html>
`);
}
