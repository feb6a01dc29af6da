import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GraphApi, startGraphApi } from '../../../../sandbox/graph-api/server.ts';
import { type World, createWorld } from '../../../../sandbox/graph-api/world.ts';
import { parseTokens } from '../../../../src/config/named-formats.ts';
import type { Login } from '../../../../src/engine/account.ts';
import { OAuth } from '../../../../src/instagram/api/oauth.ts';
import { keepTokens } from '../../../../src/instagram/tokens/keeper.ts';
import { TokenRejections } from '../../../../src/instagram/tokens/rejections.ts';
import { Tokens } from '../../../../src/instagram/tokens/tokens.ts';
import { createTransport } from '../../../../src/instagram/api/transport.ts';
import type { Clock, TelemetryEvent } from '../../../../src/engine/ports.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

export const dayMs = 86_400_000;

/** A running keeper in a world whose clock the test advances. */
export interface Kept extends AsyncDisposable {
  readonly tokens: Tokens;
  readonly events: TelemetryEvent[];
  readonly hidden: string[];
  /** Advances the world's clock, and waits until the keeper has checked every token. */
  advance(ms: number): Promise<void>;
}

/** A world, its API and a folder for the files of tokens. */
export interface Site extends AsyncDisposable {
  readonly world: World;
  readonly api: GraphApi;
  readonly file: string;
  read(): Promise<string>;
  write(text: string): Promise<void>;
  keep(given: Keeping): Promise<Kept>;
}

export interface Keeping {
  readonly login: Login;
  /** The tokens of the settings; without them the tokens come from the file. */
  readonly tokens?: readonly string[];
  readonly withoutApp?: boolean;
}

export async function startSite(fileName = 'tokens'): Promise<Site> {
  const world = createWorld({
    seed: 3,
    accounts: 2,
    mediaPerAccount: 1,
    storiesPerAccount: 0,
    insightsDays: 1,
    now: '2026-02-10T12:00:00Z',
  });
  const api = await startGraphApi({ world });
  const folder = await mkdtemp(join(tmpdir(), 'kept-'));
  const file = join(folder, fileName);
  return {
    world,
    api,
    file,
    read: () => readFile(file, 'utf8'),
    write: (text) => writeFile(file, text),
    keep: (given) => keep(given, { world, api, file }),
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

async function keep(
  { login, tokens: given, withoutApp = false }: Keeping,
  { world, api, file: path }: Pick<Site, 'world' | 'api' | 'file'>,
): Promise<Kept> {
  const closing = new AbortController();
  const events: TelemetryEvent[] = [];
  const hidden: string[] = [];
  const { clock, asleep, wake } = worldClock(world);
  const tokens = new Tokens(given ?? parseTokens(await readFile(path, 'utf8')) ?? []);
  const { clientId, clientSecret } = world.app;
  const app = withoutApp ? { clientId: null, clientSecret: null } : { clientId, clientSecret };
  const options = { ...app, login, apiVersion: 'v25.0', baseUrl: api.url, requestTimeoutMs: 5000 };
  const oauth = new OAuth(options, {
    transport: createTransport(),
    telemetry: createRecordingTelemetry(),
    clock,
  });
  const onRenewed = (found: readonly string[]): void => void hidden.push(...found);
  const file = { path, parse: parseTokens, onRenewed, onInvalid: () => undefined };
  const watched = given === undefined ? file : undefined;
  const telemetry = { report: (event: TelemetryEvent): void => void events.push(event) };
  const parts = {
    options,
    tokens,
    oauth,
    rejections: new TokenRejections(tokens, telemetry),
    clock,
    telemetry,
    file: watched,
    onChecked: () => undefined,
  };
  const keeping = keepTokens(parts, closing.signal);
  await asleep();
  return {
    tokens,
    events,
    hidden,
    async advance(ms) {
      world.clock.advance(ms);
      wake();
      await asleep();
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error('enough'));
      await keeping;
    },
  };
}

/** The world's time; `asleep` resolves when the keeper sleeps again. */
function worldClock(world: World) {
  let sleeping = Promise.withResolvers<undefined>();
  let wake: () => void = () => undefined;
  const clock: Clock = {
    nowMs: () => world.clock.now(),
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        wake = () => {
          sleeping = Promise.withResolvers();
          resolve();
        };
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
        sleeping.resolve(undefined);
      }),
  };
  return {
    clock,
    asleep: () => sleeping.promise,
    wake: () => {
      wake();
    },
  };
}
