import { isIP } from 'node:net';

/** The Host headers that the server answers to. */
export interface HostRule {
  /** `HTTP_HOST`: a name or an address. */
  readonly name: string;
  /** The address that the server listens on: what the name was resolved to. */
  readonly address: string;
  /** Names that `HTTP_ALLOWED_HOSTS` adds, without a port. */
  readonly allowed: readonly string[];
}

/**
 * True when a request is meant for this server. A page whose name was rebound to this machine's address
 * sends its own name as Host; without this rule it could read everything that the server shows.
 * A listener beyond loopback is reached by names that only its network knows, so it takes any name
 * until `allowed` lists some; addresses are taken then, because probes use them and no DNS rebinds them.
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

/** The host of a header in lower case, without port, brackets and the root's dot. */
function hostOf(header = ''): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]@/]+?)\.?)(?::\d{1,5})?$/i.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
