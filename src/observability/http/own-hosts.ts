import { isIP } from 'node:net';

/** The Host headers that the server accepts. */
export interface HostRule {
  /** `HTTP_HOST`: a name or an address. */
  readonly name: string;
  /** The address that the server listens on, resolved from the name. */
  readonly address: string;
  /** Additional names from `HTTP_ALLOWED_HOSTS`, without a port. */
  readonly allowed: readonly string[];
}

/**
 * True when a request's Host header names this server. A page whose name was rebound to this
 * machine's address (DNS rebinding) sends its own name, and could otherwise read what the server
 * shows. A listener beyond loopback accepts any name until `allowed` lists some; addresses always,
 * because probes use them and DNS cannot rebind them.
 */
export function isOwnHost(
  header: string | undefined,
  { name, address, allowed }: HostRule,
): boolean {
  const host = hostOf(header);
  if (host === undefined) return false;
  if (isLoopback(host) || [name, ...allowed].some((own) => own.toLowerCase() === host)) return true;
  return !isLoopback(address) && (allowed.length === 0 || isIP(host) !== 0);
}

/** The host of a header in lower case, without port, brackets and trailing dot. */
function hostOf(header = ''): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]@/]+?)\.?)(?::\d{1,5})?$/i.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
