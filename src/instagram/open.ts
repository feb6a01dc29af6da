import { StopProcessError } from '../core/errors.ts';
import type { AccountDirectory, Clock, Graph, OnUsage, Telemetry } from '../runtime/ports.ts';
import { createDirectory } from './accounts.ts';
import { createGraph } from './graph.ts';
import type { InstagramOptions } from './options.ts';
import type { Transport } from './transport.ts';
import { createTransport } from './transport.ts';

export type { InstagramOptions } from './options.ts';

/** The Instagram Graph API, opened. */
export interface InstagramAdapter extends AsyncDisposable {
  readonly graph: Graph;
  readonly directory: AccountDirectory;
}

/** What the adapter reports to, and who watches over its own requests. */
export interface InstagramDependencies {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Default: nobody is told. */
  readonly onUsage?: OnUsage;
  /** Keeps the listing of accounts from asking in a blocked scope; default: it asks. */
  readonly guard?: (graph: Graph) => Graph;
}

/**
 * Opens the adapter; connections are made when they are needed. Disposing of it ends the requests
 * under way, which reject with an AbortError, and refuses new ones.
 *
 * @throws StopProcessError `config.invalid` for a token that no HTTP header may hold
 */
export function openInstagram(
  options: InstagramOptions,
  dependencies: InstagramDependencies,
): InstagramAdapter {
  const closing = new AbortController();
  const pageIds = new Map<string, string>();
  const transport = openTransport(options.accessToken);
  const { telemetry, clock, onUsage = () => undefined, guard } = dependencies;
  const parts = { options, transport, pageIds, closing: closing.signal, telemetry, clock, onUsage };
  const underWay = new Set<Promise<unknown>>();
  const inner = createGraph(parts);
  const graph: Graph = {
    async get(request, signal) {
      const work = inner.get(request, signal);
      underWay.add(work);
      try {
        return await work;
      } finally {
        underWay.delete(work);
      }
    },
  };
  return {
    graph,
    directory: createDirectory({ options, graph: guard?.(graph) ?? graph, pageIds }),
    async [Symbol.asyncDispose]() {
      closing.abort(new DOMException('the Instagram adapter is closed', 'AbortError'));
      await Promise.allSettled(underWay);
    },
  };
}

function openTransport(accessToken: string): Transport {
  try {
    return createTransport(accessToken);
  } catch {
    // Not kept as cause: the platform's message quotes the token.
    throw new StopProcessError(
      'config.invalid',
      'INSTAGRAM_ACCESS_TOKEN holds a character that no HTTP header may (a line break, or one beyond Latin-1): paste the token again, on one line',
      { exitCode: 2 },
    );
  }
}
