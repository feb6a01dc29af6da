import type { GraphApi } from '../sandbox/graph-api/server.ts';
import { startProgram } from '../sandbox/program.ts';
import { type WorldSize, airbyteRequests, measureWorld } from './airbyte.ts';

/** The cost of one poll of every stream of every account. */
export interface PollCost {
  /** HTTP requests. */
  readonly requests: number;
  /** Calls as Meta counts them. */
  readonly calls: number;
  readonly errors: number;
  /** Calls by endpoint, highest first. */
  readonly byEndpoint: readonly (readonly [endpoint: string, calls: number])[];
}

/** The polls of one world, and the cost of Airbyte's connector on it. */
export interface RequestsResult {
  readonly first: PollCost;
  readonly second: PollCost;
  /** Airbyte's first sync, and any later one. */
  readonly airbyte: { readonly first: number; readonly later: number };
  readonly world: WorldSize;
}

/**
 * Polls a world twice by the real program, the second time right after the first, and counts the
 * API's requests.
 *
 * @param env - the addresses of Kafka, registry and API; a topic template of its own
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
    .map(([endpoint, { calls }]) => [endpoint, calls] as const)
    .sort(([, left], [, right]) => right - left);
  return { ...api.ledger.total(), byEndpoint };
}
