import { GenericContainer, type WaitStrategy } from 'testcontainers';

import type { Member } from './cluster.ts';
import type { Engine } from './docker-engine.ts';
import { waitUntil } from './readiness.ts';
import type { Watchdog } from './watchdog.ts';

type Container = ReturnType<Engine['client']['container']['getById']>;

const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_S = 30;
const LOG_TAIL_LINES = 25;

/** A container that runs as a member of a cluster. */
export interface ContainerPlan {
  /** Name in errors, such as `the broker`. */
  readonly name: string;
  readonly image: string;
  /** The command and its arguments; by default the image's own. */
  readonly command?: readonly string[];
  readonly environment: Record<string, string>;
  /**
   * The port inside and the host's port that leads to it, the same after every restart. Without it
   * the container shares the host's network.
   */
  readonly port?: { readonly container: number; readonly host: number };
  /** True when the program accepts requests; must not reject. */
  readonly serves: () => Promise<boolean>;
}

/** A member that can be removed permanently. */
export interface ContainerMember extends Member {
  remove(): Promise<void>;
}

/** Testcontainers' own wait needs a shell in the image; this one connects from outside. */
const NO_WAIT: WaitStrategy = {
  waitUntilReady: () => Promise.resolve(),
  withStartupTimeout: () => NO_WAIT,
  isStartupTimeoutSet: () => false,
  getStartupTimeout: () => START_TIMEOUT_MS,
};

/**
 * Starts a container and resolves when it accepts requests.
 *
 * @throws Error with the last lines of its log when it does not; the container is removed then
 */
export async function startContainer(
  plan: ContainerPlan,
  engine: Engine,
  context: { readonly watchdog: Watchdog; readonly signal: AbortSignal | undefined },
): Promise<ContainerMember> {
  const planned = new GenericContainer(plan.image);
  if (plan.port === undefined) planned.withNetworkMode('host');
  else planned.withExposedPorts(plan.port);
  if (plan.command !== undefined) planned.withCommand([...plan.command]);
  const started = await planned
    .withEnvironment(plan.environment)
    .withWaitStrategy(NO_WAIT)
    // The watchdog cleans up; Testcontainers' own helper needs another image and the engine's
    // socket.
    .withAutoCleanup(false)
    .start();
  context.watchdog.guardContainer(started.getId());
  const container = engine.client.container.getById(started.getId());
  const waitForService = (): Promise<void> => waitUntilServing(plan, container, context.signal);
  const member = createContainerMember(container, waitForService);
  await waitForService().catch(async (error: unknown) => {
    await member.remove();
    throw error;
  });
  return member;
}

function createContainerMember(
  container: Container,
  waitForService: () => Promise<void>,
): ContainerMember {
  return {
    async kill() {
      if (!(await readState(container)).Running) return;
      await container.kill({ signal: 'SIGKILL' });
      await container.wait();
    },
    async stop() {
      const { Running, Paused } = await readState(container);
      if (Paused) await container.unpause();
      if (Running) await container.stop({ t: STOP_TIMEOUT_S });
    },
    async start() {
      if ((await readState(container)).Running) return;
      await container.start();
      await waitForService();
    },
    async pause() {
      const { Running, Paused } = await readState(container);
      if (Running && !Paused) await container.pause();
    },
    async resume() {
      if ((await readState(container)).Paused) await container.unpause();
    },
    async remove() {
      await container.remove({ force: true, v: true });
    },
  };
}

async function readState(container: Container): Promise<{ Running: boolean; Paused: boolean }> {
  return (await container.inspect()).State;
}

async function waitUntilServing(
  plan: ContainerPlan,
  container: Container,
  signal: AbortSignal | undefined,
): Promise<void> {
  const probe = async (): Promise<boolean> => {
    if (await plan.serves()) return true;
    const { Running } = await readState(container);
    if (!Running) throw new Error(`${plan.name} ended while starting`);
    return false;
  };
  const limits = { subject: plan.name, timeoutMs: START_TIMEOUT_MS, signal };
  await waitUntil(probe, limits).catch(async (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const output = await container.logs({ stdout: true, stderr: true, tail: LOG_TAIL_LINES });
    throw new Error(`${reason}; the last lines of its log:\n${readLog(output)}`, { cause: error });
  });
}

/**
 * Extracts the text from the engine's frames: eight bytes precede each, the last four are its
 * length.
 */
function readLog(output: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= output.length; at += 8 + output.readUInt32BE(at + 4)) {
    parts.push(output.subarray(at + 8, at + 8 + output.readUInt32BE(at + 4)));
  }
  return Buffer.concat(parts).toString('utf8').trimEnd();
}
