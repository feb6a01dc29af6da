import type { Account } from '../engine/account.ts';
import type { Clock, GraphTransport, OnUsage, Telemetry } from '../engine/ports.ts';
import { type NarrowedDirectory, createDirectory } from './directory.ts';
import { GraphClient } from './api/client.ts';
import { OAuth } from './api/oauth.ts';
import type { InstagramOptions } from './options.ts';
import { type TokenFile, watchTokenFile } from './tokens/file.ts';
import { keepTokens } from './tokens/keeper.ts';
import { TokenRejections } from './tokens/rejections.ts';
import { Tokens } from './tokens/tokens.ts';
import { createTransport } from './api/transport.ts';
import { type OnExchange, recordedTransport } from './recording/exchange.ts';

export interface InstagramAdapter extends AsyncDisposable {
  readonly graph: GraphTransport;
  readonly directory: NarrowedDirectory;
  /** Reports on and renews tokens until closed; call it once. Resolves after the first check. */
  keepTokens(): Promise<void>;
}

export interface InstagramDependencies {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly onUsage?: OnUsage;
  readonly tokenFile?: TokenFile;
  /** Adds the rate limit to the requests that list accounts; optional. */
  readonly guard?: (graph: Pick<GraphTransport, 'get'>) => Pick<GraphTransport, 'get'>;
  /** Receives what the client sends and gets, except what the endpoints of tokens do; optional. */
  readonly onExchange?: OnExchange | undefined;
}

/** Opens the adapter; it connects on the first request. Disposing of it aborts pending requests. */
export function openInstagram(
  options: InstagramOptions,
  dependencies: InstagramDependencies,
): InstagramAdapter {
  const closing = new AbortController();
  const known = new Map<string, Account>();
  const tokens = new Tokens(options.accessTokens, options.clientSecret);
  const transport = createTransport();
  const { telemetry, clock, onUsage = () => undefined, guard, tokenFile } = dependencies;
  const { onExchange } = dependencies;
  const common = { options, tokens, known, closing: closing.signal };
  const rejections = new TokenRejections(tokens, telemetry);
  const pending = new Set<Promise<unknown>>();
  const parts = { ...common, rejections, telemetry, clock, onUsage, pending };
  const recorded =
    onExchange === undefined ? transport : recordedTransport(transport, onExchange, clock);
  const graph = new GraphClient({ ...parts, transport: recorded });
  const watching =
    tokenFile === undefined
      ? Promise.resolve()
      : watchTokenFile(tokenFile, tokens, { clock, signal: closing.signal });
  const oauth = new OAuth(options, { transport, telemetry, clock });
  const kept = { options, tokens, oauth, rejections, clock, telemetry, file: tokenFile };
  return {
    keepTokens: () =>
      new Promise((resolve) => {
        const keeping = keepTokens({ ...kept, onChecked: resolve }, closing.signal);
        pending.add(keeping.finally(resolve));
      }),
    graph,
    directory: createDirectory({ ...common, graph: guard?.(graph) ?? graph, oauth, clock }),
    async [Symbol.asyncDispose]() {
      closing.abort(new DOMException('the Instagram adapter is closed', 'AbortError'));
      await Promise.allSettled([...pending, watching]);
    },
  };
}
