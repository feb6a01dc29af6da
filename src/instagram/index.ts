import type { Account } from '../engine/account.ts';
import type { Clock, GraphTransport, OnUsage, Telemetry } from '../engine/ports.ts';
import { type NarrowedDirectory, createDirectory } from './directory.ts';
import { createGraph } from './api/client.ts';
import { createOAuth } from './api/oauth.ts';
import type { InstagramOptions } from './options.ts';
import { type TokenFile, watchTokenFile } from './tokens/file.ts';
import { keepTokens } from './tokens/keeper.ts';
import { createTokenRefusals } from './tokens/refusals.ts';
import { createRenewal } from './tokens/renewal.ts';
import { createTokens } from './tokens/tokens.ts';
import { createTransport } from './api/transport.ts';

export type { InstagramOptions } from './options.ts';

/** The Instagram Graph API, opened. */
export interface InstagramAdapter extends AsyncDisposable {
  readonly graph: GraphTransport;
  readonly directory: NarrowedDirectory;
  /**
   * Learns when the tokens end, tells of it and renews them, until closed; call it once. Resolves when
   * each was looked at for the first time, and never rejects.
   */
  keepTokens(): Promise<void>;
}

/** What the adapter reports to, and who watches over its own requests. */
export interface InstagramDependencies {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Default: nobody is told. */
  readonly onUsage?: OnUsage;
  /** Where the tokens came from, to be read again when it changes; default: nowhere. */
  readonly tokenFile?: TokenFile;
  /** Keeps the listing of accounts from asking in a blocked scope; default: it asks. */
  readonly guard?: (graph: Pick<GraphTransport, 'get'>) => Pick<GraphTransport, 'get'>;
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
  const known = new Map<string, Account>();
  const tokens = createTokens(options.accessTokens, options.clientSecret);
  const transport = createTransport();
  const { telemetry, clock, onUsage = () => undefined, guard, tokenFile } = dependencies;
  const common = { options, tokens, known, closing: closing.signal };
  const refusals = createTokenRefusals(tokens, telemetry);
  const parts = { ...common, refusals, transport, telemetry, clock, onUsage };
  const underWay = new Set<Promise<unknown>>();
  const inner = createGraph(parts);
  const graph = trackedTransport(inner, underWay);
  const watching =
    tokenFile === undefined
      ? Promise.resolve()
      : watchTokenFile(tokenFile, tokens, { clock, signal: closing.signal });
  const oauth = createOAuth(options, { transport, telemetry, clock });
  const keep = (onLooked: () => void): Promise<void> => {
    const renewal = createRenewal({ options, oauth, tokens, file: tokenFile, clock });
    const { login } = options;
    const path = tokenFile?.path ?? null;
    const keeper = { login, tokens, oauth, refusals, clock, telemetry, renewal, path, onLooked };
    return keepTokens(keeper, closing.signal);
  };
  return {
    keepTokens: () =>
      new Promise((resolve) => {
        underWay.add(keep(resolve).finally(resolve));
      }),
    graph,
    directory: createDirectory({ ...common, graph: guard?.(graph) ?? graph, oauth, clock }),
    async [Symbol.asyncDispose]() {
      closing.abort(new DOMException('the Instagram adapter is closed', 'AbortError'));
      await Promise.allSettled([...underWay, watching]);
    },
  };
}

/** A transport whose requests can be awaited when the adapter is closed. */
function trackedTransport(inner: GraphTransport, underWay: Set<Promise<unknown>>): GraphTransport {
  const tracked = async <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    try {
      return await work;
    } finally {
      underWay.delete(work);
    }
  };
  return {
    get batchSize() {
      return inner.batchSize;
    },
    get answeredBy() {
      return inner.answeredBy;
    },
    get clockAheadMs() {
      return inner.clockAheadMs;
    },
    get: (request, signal) => tracked(inner.get(request, signal)),
    getBatch: (requests, signal) => tracked(inner.getBatch(requests, signal)),
  };
}
