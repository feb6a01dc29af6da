import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ContainerRuntimeClient } from 'testcontainers';

const PROBE_TIMEOUT_MS = 500;
const ENGINE_TIMEOUT_MS = 10_000;
/** Less than the silence after which the demo reports that a step still runs. */
const SHOW_MS = 4_000;
const PULL_SILENCE_MS = 15_000;
const PULL_TIMEOUT_MS = 600_000;
const DEFAULT_TCP_PORT = 2375;

/** A container engine that answers. */
export interface Engine {
  readonly client: ContainerRuntimeClient;
  /** Its address in the form of `DOCKER_HOST`. */
  readonly host: string;
}

/**
 * Lists the possible addresses of an engine, in the form of `DOCKER_HOST` and in the order of
 * Testcontainers.
 */
export function listEngineHosts(env: NodeJS.ProcessEnv, home: string, uid: number): string[] {
  const sockets = [
    '/var/run/docker.sock',
    ...(env['XDG_RUNTIME_DIR'] === undefined ? [] : [join(env['XDG_RUNTIME_DIR'], 'docker.sock')]),
    join(home, '.docker', 'run', 'docker.sock'),
    join(home, '.docker', 'desktop', 'docker.sock'),
    `/run/user/${uid}/docker.sock`,
  ];
  const configured = env['DOCKER_HOST'];
  return [
    ...(configured === undefined ? [] : [configured]),
    ...sockets.map((path) => `unix://${path}`),
  ];
}

/**
 * Finds the engine. A missing engine is detected within half a second, without loading
 * Testcontainers.
 *
 * @throws Error when no usual address accepts connections, or the listener is no engine
 */
export async function findEngine(env: NodeJS.ProcessEnv): Promise<Engine> {
  const hosts = listEngineHosts(env, homedir(), userInfo().uid);
  const listening = await Promise.all(hosts.map(listens));
  const host = hosts.find((_, index) => listening[index] === true);
  if (host === undefined) throw new Error(`no engine listens at ${hosts.join(', ')}`);
  const { getContainerRuntimeClient } = await import('testcontainers');
  const client = await Promise.race([
    getContainerRuntimeClient(),
    sleep(ENGINE_TIMEOUT_MS, undefined, { ref: false }),
  ]);
  if (client === undefined) {
    throw new Error(`the engine at ${host} does not answer after ${ENGINE_TIMEOUT_MS / 1000} s`);
  }
  return { client, host };
}

function listens(host: string): Promise<boolean> {
  const target = readHost(host);
  if (target === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: PROBE_TIMEOUT_MS });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => {
      finish(true);
    });
    socket.once('timeout', () => {
      finish(false);
    });
    socket.once('error', () => {
      finish(false);
    });
  });
}

function readHost(host: string): { path: string } | { host: string; port: number } | undefined {
  if (!URL.canParse(host)) return undefined;
  const url = new URL(host);
  if (url.protocol === 'unix:') return { path: url.pathname };
  return { host: url.hostname, port: url.port === '' ? DEFAULT_TCP_PORT : Number(url.port) };
}

/** Options of a pull besides the image. */
export interface PullOptions {
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Pulls an image unless it is present. A pull without progress for 15 s fails: a machine without
 * access to the image's registry is detected soon, while a slow connection is tolerated.
 *
 * @throws Error with the engine's message
 */
export async function ensureImage(
  client: ContainerRuntimeClient,
  image: string,
  options: PullOptions,
): Promise<void> {
  const { ImageName } = await import('testcontainers');
  if (await client.image.exists(ImageName.fromString(image))) {
    options.log(`${image} is on this machine`);
    return;
  }
  options.log(`pulling ${image}, once`);
  const sizes = createLayerSizes();
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new Error(`nothing heard for ${PULL_SILENCE_MS / 1000} s`));
  }, PULL_SILENCE_MS);
  const shown = setInterval(() => {
    options.log(`pulling ${image}: ${sizes.describe()}`);
  }, SHOW_MS);
  const signals = [silence.signal, AbortSignal.timeout(PULL_TIMEOUT_MS), options.signal];
  const signal = AbortSignal.any(signals.filter((one) => one !== undefined));
  try {
    const onProgress = (event: unknown): void => {
      timer.refresh();
      sizes.add(event);
    };
    await pull(client, { image, signal, onProgress });
  } catch (error) {
    const reason: unknown = signal.aborted ? signal.reason : error;
    const text = reason instanceof Error ? reason.message : String(reason);
    throw new Error(`cannot pull ${image}: ${text}`, { cause: error });
  } finally {
    clearTimeout(timer);
    clearInterval(shown);
  }
}

async function pull(
  client: ContainerRuntimeClient,
  order: { image: string; signal: AbortSignal; onProgress: (event: unknown) => void },
): Promise<void> {
  const { dockerode } = client.container;
  const stream = await dockerode.pull(order.image, { abortSignal: order.signal });
  await new Promise<void>((resolve, reject) => {
    order.signal.addEventListener('abort', () => {
      reject(new Error('aborted'));
    });
    const finish = (error: Error | null): void => {
      if (error === null) resolve();
      else reject(error);
    };
    dockerode.modem.followProgress(stream, finish, order.onProgress);
  });
}

/** Sums of the layers of an image that is pulled, in the engine's own figures. */
export function createLayerSizes() {
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  const mb = (of: 'current' | 'total'): string => {
    const bytes = [...layers.values()].reduce((sum, layer) => sum + layer[of], 0);
    return (bytes / 1e6).toFixed(0);
  };
  return {
    /** Adds an event of the engine's answer; ignores those that report no download. */
    add(event: unknown): void {
      const { status, id, progressDetail } = event as {
        readonly status?: string;
        readonly id?: string;
        readonly progressDetail?: { readonly current?: number; readonly total?: number };
      };
      const layer = layers.get(id ?? '');
      if (id === undefined) return;
      if (status === 'Download complete' && layer !== undefined) {
        layers.set(id, { ...layer, current: layer.total });
      }
      const { current, total } = progressDetail ?? {};
      if (status !== 'Downloading' || current === undefined || total === undefined) return;
      layers.set(id, { current, total });
    },
    describe: (): string => `${mb('current')} of ${mb('total')} MB`,
  };
}
