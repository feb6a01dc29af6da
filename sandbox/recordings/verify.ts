import { isObject } from '../graph-api/json.ts';
import { type Exchange, createRecordedWorld } from '../graph-api/recorded-world.ts';
import { timeOf } from '../graph-api/recorded/collect.ts';
import { startGraphApi } from '../graph-api/server.ts';
import type { World } from '../graph-api/world.ts';
import { compareBodies } from './compare.ts';

/** One exchange, compared with the simulator's answer. */
export interface Verified {
  readonly request: string;
  /** Empty when the answers agree. */
  readonly differences: readonly string[];
}

/** Creates a world from the recording, sends it the same requests and compares the answers. */
export async function verifyRecording(exchanges: readonly Exchange[]): Promise<Verified[]> {
  const world = createRecordedWorld(exchanges);
  await using server = await startGraphApi({ world });
  const verified: Verified[] = [];
  for (const exchange of exchanges) {
    const timeMs = timeOf(exchange);
    if (!Number.isNaN(timeMs)) world.clock.set(timeMs);
    verified.push({
      request: describe(exchange),
      differences: await verify(exchange, server.url, world),
    });
  }
  return verified;
}

async function verify({ request, response }: Exchange, base: string, world: World) {
  const url = new URL(request.path, base);
  for (const [name, value] of Object.entries(request.query)) {
    url.searchParams.append(name, name === 'access_token' ? world.token : value);
  }
  // A recording may have had its token in a header, which is not kept.
  const authorization = `Bearer ${world.token}`;
  const answer = await fetch(url, { method: request.method, headers: { authorization } });
  const body: unknown = await answer.json();
  if (answer.status !== response.status) {
    return [
      `status: recorded ${response.status}, received ${answer.status} ${JSON.stringify(body)}`,
    ];
  }
  return isObject(body) ? compareBodies(response.body, body) : ['the body is no object'];
}

function describe({ request }: Exchange): string {
  const query = Object.entries(request.query)
    .filter(([name]) => name !== 'access_token')
    .map(([name, value]) => `${name}=${value.length > 60 ? `${value.slice(0, 60)}…` : value}`);
  return `${request.method} ${request.path}?${query.join('&')}`;
}
