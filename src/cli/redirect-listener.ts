import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { StopProcessError } from '../engine/errors.ts';

export interface BrowserPage {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

/** Returns the page for the browser; undefined for an address that is no answer. */
export type OnAddress = (address: URL) => Promise<BrowserPage | undefined>;

/** True for a redirect URI on this machine, where a listener can bind. */
export function isLocal({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/**
 * Listens at a redirect URI, on loopback alone, and answers its path with the page of `onAddress`.
 * Undefined is no answer to the login, so a browser's request for an icon changes nothing.
 * @throws StopProcessError `config.invalid` when the port is taken
 */
export async function listenForRedirect(
  redirectUri: URL,
  onAddress: OnAddress,
): Promise<AsyncDisposable> {
  const serve = async (path: string, response: ServerResponse): Promise<void> => {
    const address = URL.parse(path, redirectUri.origin);
    const isOurs = address?.pathname === redirectUri.pathname;
    const page = address !== null && isOurs ? await onAddress(address) : undefined;
    send(response, page ?? { status: 404, title: 'Nothing is here', text: '' });
  };
  const port = redirectUri.port === '' ? 80 : Number(redirectUri.port);
  const address = redirectUri.hostname === '[::1]' ? '::1' : redirectUri.hostname;
  // A browser may resolve `localhost` to either; another process on the second would read the answer.
  const hosts = address === 'localhost' ? ['127.0.0.1', '::1'] : [address];
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

/** @returns false when this machine has no such address */
async function listen(server: Server, address: { port: number; host: string }): Promise<boolean> {
  server.listen(address);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    if (address.host === '::1' && withoutIpv6.includes(code)) return false;
    throw new StopProcessError(
      'config.invalid',
      `INSTAGRAM_REDIRECT_URI: port ${address.port} of ${address.host} cannot be listened on (${code}); stop the program that uses it, or set another port here and in the app's valid OAuth redirect URIs`,
      { exitCode: 2 },
    );
  }
}

function send(response: ServerResponse, { status, title, text }: BrowserPage): void {
  const shown = (words: string): string =>
    words.replaceAll(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    connection: 'close',
  });
  response.end(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${shown(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36rem;padding:0 1rem}</style></head>
<body><main><h1>${shown(title)}</h1><p>${shown(text)}</p></main></body>
</html>
`);
}
