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
  const verified = await verifyEach(exchanges, createRecordedWorld(exchanges));
  const readings = readingsOf(exchanges);
  for (const [index, { differences }] of verified.entries()) {
    const [exchange, reading] = [exchanges[index], readings[index]];
    if (exchange === undefined || reading === undefined || differences.length === 0) continue;
    // A count or a list may have changed between two requests: this world shows it as it was then.
    const others = exchanges.filter((_, other) => {
      return readings[other]?.of !== reading.of || readings[other].number === reading.number;
    });
    const [again] = await verifyEach([exchange], createRecordedWorld([...others, exchange]));
    if (again?.differences.length === 0) verified[index] = again;
  }
  return verified;
}

/**
 * Returns the list or object that each exchange reads, and the number of that reading; a page with
 * `after` belongs to the current one.
 */
function readingsOf(exchanges: readonly Exchange[]) {
  const begun = new Map<string, number>();
  return exchanges.map(({ request: { path, query } }) => {
    const of = JSON.stringify([path, { ...query, after: undefined, limit: undefined }]);
    const number = (begun.get(of) ?? 0) + ('after' in query ? 0 : 1);
    begun.set(of, number);
    return { of, number };
  });
}

async function verifyEach(exchanges: readonly Exchange[], world: World): Promise<Verified[]> {
  await using server = await startGraphApi({ world });
  const verified: Verified[] = [];
  for (const exchange of exchanges) {
    const timesMs = [timeOf(exchange), Date.parse(exchange.time ?? '')];
    const timeMs = timesMs.find((ms) => !Number.isNaN(ms));
    if (timeMs !== undefined) world.clock.set(timeMs);
    verified.push({
      request: describe(exchange),
      differences: await verify(exchange, server.url, world),
    });
  }
  return verified;
}

async function verify(exchange: Exchange, base: string, world: World) {
  const { request, response } = exchange;
  const token = tokenFor(exchange, world);
  const url = new URL(request.path, base);
  for (const [name, value] of Object.entries(request.query)) {
    url.searchParams.append(name, name === 'access_token' ? token : value);
  }
  // A recording may have had its token in a header, which is not kept.
  const authorization = `Bearer ${token}`;
  const answer = await fetch(url, { method: request.method, headers: { authorization } });
  const body: unknown = await answer.json();
  if (answer.status !== response.status) {
    return [
      `status: recorded ${response.status}, received ${answer.status} ${JSON.stringify(body)}`,
    ];
  }
  return isObject(body) ? compareBodies(response.body, body) : ['the body is no object'];
}

/** The token of the world's user; in a recording of Instagram Login, that of the account itself. */
function tokenFor({ request, response }: Exchange, world: World): string {
  const { accounts, instagramLogin, token } = world;
  if (instagramLogin !== true) return token;
  const [, id = ''] = request.path.split('/').filter((segment) => segment !== '');
  const ids = [response.body['user_id'], id, world.findMedia(id, world.clock.now())?.accountId];
  const own = accounts.find((one) => ids.includes(one.id)) ?? accounts[0];
  return own?.instagramToken ?? token;
}

function describe({ request }: Exchange): string {
  const query = Object.entries(request.query)
    .filter(([name]) => name !== 'access_token')
    .map(([name, value]) => `${name}=${value.length > 60 ? `${value.slice(0, 60)}…` : value}`);
  return `${request.method} ${request.path}?${query.join('&')}`;
}
