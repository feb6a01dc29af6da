import { Agent as PlainAgent } from 'node:http';
import { Agent } from 'node:https';
import type { TlsMaterial } from '../engine/tls.ts';

/** How this program logs in; a text is asked for each time, because its file may have changed. */
export type RegistryLogin =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: () => string }
  | { readonly kind: 'bearer'; readonly token: () => string };

/** How the registry is reached. */
export interface RegistryAddress {
  readonly url: string;
  readonly timeoutMs: number;
  readonly login: RegistryLogin;
  /** Asked for each connection; null trusts what the platform trusts. */
  readonly tls: (() => TlsMaterial) | null;
}

/** The `authorization` header; none without a login. */
export function authorizationOf(login: RegistryLogin): Readonly<Record<string, string>> {
  switch (login.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${login.token()}` };
    case 'basic': {
      // In UTF-8; `btoa` refuses what is beyond Latin-1.
      const pair = Buffer.from(`${login.username}:${login.password()}`, 'utf8').toString('base64');
      return { authorization: `Basic ${pair}` };
    }
  }
}

/** Opens each connection with what the files hold by then. */
class RereadingAgent extends Agent {
  readonly #tls: () => TlsMaterial;
  constructor(tls: () => TlsMaterial) {
    super();
    this.#tls = tls;
  }
  override createConnection(...[options, done]: Parameters<Agent['createConnection']>) {
    return super.createConnection({ ...options, ...this.#tls() }, done);
  }
  // A name stands for a connection's settings; these change.
  override getName(): string {
    return 'registry';
  }
}

/** The agent for an address, which both of our clients use. */
export function agentOf({ url, tls }: RegistryAddress): PlainAgent {
  if (!url.startsWith('https:')) return new PlainAgent();
  return tls === null ? new Agent() : new RereadingAgent(tls);
}
