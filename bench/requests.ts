import type { GraphApi } from '../sandbox/graph-api/server.ts';
import { startProgram } from '../sandbox/program.ts';

/** What one poll of every stream of every account cost. */
export interface PollCost {
  readonly requests: number;
  readonly ids: number;
  readonly errors: number;
  /** Requests by endpoint, dearest first. */
  readonly byEndpoint: readonly (readonly [endpoint: string, requests: number])[];
}

/** The polls of one world, and what Airbyte's connector would spend on it. */
export interface RequestsResult {
  readonly first: PollCost;
  readonly second: PollCost;
  /** Airbyte's first sync, and any later one. */
  readonly airbyte: { readonly first: number; readonly later: number };
  readonly world: WorldSize;
}

/** Sizes of a world, as the formula names them. */
export interface WorldSize {
  readonly accounts: number;
  readonly pages: number;
  readonly media: number;
  readonly children: number;
  readonly stories: number;
}

/**
 * Polls a world twice by the real program, the second time at once after the first, and counts
 * what came in at the API.
 *
 * @param env - where the program finds Kafka, registry and API; a topic template of its own
 */
export async function benchRequests(
  api: GraphApi,
  env: Readonly<Record<string, string>>,
): Promise<RequestsResult> {
  const world = measureWorld(api);
  return {
    first: await pollOnce(api, env),
    second: await pollOnce(api, env),
    airbyte: { first: airbyteRequests(world, 130), later: airbyteRequests(world, 18) },
    world,
  };
}

async function pollOnce(api: GraphApi, env: Readonly<Record<string, string>>): Promise<PollCost> {
  api.ledger.clear();
  await using program = startProgram({ command: 'once', env: { LOG_LEVEL: 'error', ...env } });
  const exitCode = await program.ended;
  if (exitCode !== 0) throw new Error(`the program ended with ${String(exitCode)}`);
  const byEndpoint = Object.entries(api.ledger.byEndpoint())
    .map(([endpoint, { requests }]) => [endpoint, requests] as const)
    .sort(([, left], [, right]) => right - left);
  return { ...api.ledger.total(), byEndpoint };
}

function measureWorld({ world }: GraphApi): WorldSize {
  const nowMs = world.clock.now();
  const media = world.accounts.flatMap((account) => account.mediaAt(nowMs));
  return {
    accounts: world.accounts.length,
    pages: world.pages.length,
    media: media.length,
    children: media.reduce((sum, { children }) => sum + children.length, 0),
    stories: world.accounts.reduce((sum, account) => sum + account.storiesAt(nowMs).length, 0),
  };
}

/**
 * Requests of one sync of Airbyte's source-instagram 4.1.0 with every stream, read off its manifest
 * (2026-11): a page of 100 pages, `perAccount` for the account's own streams (130 on the first sync,
 * 18 later), a media each, a child twice, a story each.
 */
function airbyteRequests(size: WorldSize, perAccount: number): number {
  const { accounts, pages, media, children, stories } = size;
  return Math.round(
    Math.ceil(pages / 100) + perAccount * accounts + 1.01 * media + 2 * children + stories,
  );
}
