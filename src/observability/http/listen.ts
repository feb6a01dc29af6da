import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { StopProcessError } from '../../engine/errors.ts';
import { codeOf } from '../../engine/tls.ts';

/** The address of a server, and the names of its settings. */
export interface ListenAddress {
  readonly host: string;
  /** Port 0 selects a free port. */
  readonly port: number;
  /** The server in an error: `HTTP server`. */
  readonly name: string;
  /** The prefix of its variables: `HTTP`. */
  readonly prefix: string;
}

/**
 * @returns the URL without a trailing slash, with the actual port
 * @throws StopProcessError `config.invalid` (exit code 2) when it cannot listen on the address
 */
export async function listen(
  server: FastifyInstance,
  { host, port, name, prefix }: ListenAddress,
): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (cause) {
    const advice = adviceOf(prefix)[codeOf(cause) ?? ''];
    if (advice === undefined) throw cause;
    const message = `the ${name} cannot listen on ${host}:${port}: ${advice}`;
    throw new StopProcessError('config.invalid', message, { exitCode: 2, cause });
  }
  // A server that listens on a host and port has an AddressInfo; a pipe has a string.
  const { port: actualPort } = server.server.address() as AddressInfo;
  return `http://${reachableHost(host)}:${actualPort}`;
}

/** Replaces the wildcard addresses, which clients cannot call, with loopback. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function adviceOf(prefix: string): Readonly<Record<string, string>> {
  return {
    EADDRINUSE: `the port is taken; set ${prefix}_PORT to a free one (0 takes any), or stop what listens there`,
    EACCES: `not allowed; set ${prefix}_PORT to a port above 1023`,
    EADDRNOTAVAIL: `this machine has no such address; correct ${prefix}_HOST`,
    ENOTFOUND: `the host is not known; correct ${prefix}_HOST`,
    EAI_AGAIN: `the host cannot be resolved; correct ${prefix}_HOST`,
  };
}
