import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { type GraphApi, startGraphApi } from '../../../../sandbox/graph-api/server.ts';
import { type World, type WorldSpec, createWorld } from '../../../../sandbox/graph-api/world.ts';

/** An answer of the simulator. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: JsonObject;
}

/** A simulator with helpers to send requests. */
export interface Asked extends AsyncDisposable {
  readonly api: GraphApi;
  readonly world: World;
  /** Requests a path of v25.0 with the world's token, unless the parameters differ. */
  ask(path: string, parameters?: Readonly<Record<string, string>>): Promise<Answer>;
  /** The error's message, code and subcode. */
  refusal(path: string, parameters?: Readonly<Record<string, string>>): Promise<unknown[]>;
  /** Requests the simulator's admin endpoints: `admin('PATCH', 'world', {…})`. */
  admin(method: string, name: string, body?: unknown): Promise<Answer>;
}

/** Noon UTC, in winter. */
export const NOW = '2026-02-10T12:00:00Z';

/** A world whose clock stands still. */
export function standingWorld(changes: Partial<WorldSpec> = {}): World {
  return createWorld({
    seed: 1,
    now: NOW,
    accounts: 2,
    smallAccounts: 1,
    mediaPerAccount: 30,
    storiesPerAccount: 3,
    insightsDays: 60,
    ...changes,
  });
}

/** Starts the simulator of a world. */
export async function startAsking(world: World = standingWorld()): Promise<Asked> {
  const api = await startGraphApi({ world });
  const ask: Asked['ask'] = async (path, parameters = {}) => {
    const url = new URL(`/v25.0${path}`, api.url);
    const all = { access_token: world.token, ...parameters };
    url.search = new URLSearchParams(all).toString();
    return readAnswer(await fetch(url));
  };
  return {
    api,
    world,
    ask,
    refusal: async (path, parameters) => {
      const { status, body } = await ask(path, parameters);
      const error = body['error'] as JsonObject | undefined;
      return [status, error?.['code'], error?.['error_subcode'], error?.['message']];
    },
    admin: async (method, name, body) =>
      readAnswer(
        await fetch(`${api.url}/_sandbox/${name}`, {
          method,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        }),
      ),
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

/** Reads a whole answer. */
export async function readAnswer(answer: Response): Promise<Answer> {
  const text = await answer.text();
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: JSON.parse(text) as JsonObject,
  };
}

/** The nodes of a list. */
export function listOf(body: JsonObject): readonly JsonObject[] {
  return body['data'] as unknown as readonly JsonObject[];
}

/** A string of a body; the empty string for any other value. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
