import { Agent as PlainAgent } from 'node:http';
import { Agent } from 'node:https';
import type { TlsMaterial } from '../engine/tls.ts';

/**
 * The login at the registry. Secrets are functions: each request reads them again, because their
 * file may change.
 */
export type RegistryLogin =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: () => string }
  | { readonly kind: 'bearer'; readonly token: () => string };

/** The registry's address, timeout, login and TLS material. */
export interface RegistryAddress {
  readonly url: string;
  readonly timeoutMs: number;
  readonly login: RegistryLogin;
  /** Called for each connection; null uses the platform's default trust store. */
  readonly tls: (() => TlsMaterial) | null;
}

/** The `authorization` header; empty without a login. */
export function authorizationOf(login: RegistryLogin): Readonly<Record<string, string>> {
  switch (login.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${login.token()}` };
    case 'basic': {
      // Encoded as UTF-8: `btoa` rejects characters beyond Latin-1.
      const pair = Buffer.from(`${login.username}:${login.password()}`, 'utf8').toString('base64');
      return { authorization: `Basic ${pair}` };
    }
  }
}

/** Opens each connection with the current content of the TLS files. */
class RereadingAgent extends Agent {
  readonly #tls: () => TlsMaterial;
  constructor(tls: () => TlsMaterial) {
    super();
    this.#tls = tls;
  }
  override createConnection(...[options, done]: Parameters<Agent['createConnection']>) {
    return super.createConnection({ ...options, ...this.#tls() }, done);
  }
  // Node names pooled connections by their TLS settings; here the settings change, so the name is
  // constant.
  override getName(): string {
    return 'registry';
  }
}

/** Returns the agent for an address. */
export function agentOf({ url, tls }: RegistryAddress): PlainAgent {
  if (!url.startsWith('https:')) return new PlainAgent();
  return tls === null ? new Agent() : new RereadingAgent(tls);
}
