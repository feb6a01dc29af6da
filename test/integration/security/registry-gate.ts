import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificates } from '../../support/certificates.ts';

/** The credentials that a gate accepts. */
export interface Demand {
  readonly certificate?: true;
  /** The whole header. */
  readonly authorization?: string;
}

/** TLS in front of the registry; it accepts a client certificate or this authorization. */
export async function openGate(
  registryUrl: string,
  certificates: Certificates,
  demand: Demand,
): Promise<{ readonly url: string } & AsyncDisposable> {
  const [key, cert, ca] = await Promise.all(
    [certificates.server.key, certificates.server.certificate, certificates.ca].map((file) =>
      readFile(file, 'utf8'),
    ),
  );
  const behind = new URL(registryUrl);
  const requestCert = demand.certificate === true;
  const server = createServer({ key, cert, ca, requestCert }, (incoming, response) => {
    if (
      demand.authorization !== undefined &&
      incoming.headers.authorization !== demand.authorization
    ) {
      response.writeHead(401).end('{}');
      return;
    }
    const onward = request(
      {
        host: behind.hostname,
        port: behind.port,
        path: incoming.url,
        method: incoming.method,
        headers: { ...incoming.headers, host: behind.host },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    // The registry may end before its answer to a program that was stopped.
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}${behind.pathname}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
