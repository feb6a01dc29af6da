import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Kafka, logLevel } from 'kafkajs';

const PROBE_INTERVAL_MS = 50;
const PROBE_TIMEOUT_MS = 5_000;

/** Limits of a wait for a service. */
export interface WaitLimits {
  /** The awaited service, for errors: `the broker on 127.0.0.1:9092`. */
  readonly subject: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Throws when further waiting is pointless, for instance because the process has ended. */
  readonly check?: () => void;
}

/**
 * Repeats the probe until it returns true.
 *
 * @throws Error on a timeout, any error of `check`, and the signal's reason
 */
export async function waitUntil(probe: () => Promise<boolean>, limits: WaitLimits): Promise<void> {
  const deadline = performance.now() + limits.timeoutMs;
  for (;;) {
    limits.signal?.throwIfAborted();
    limits.check?.();
    if (await probe()) return;
    if (performance.now() > deadline) {
      throw new Error(`${limits.subject} does not answer after ${limits.timeoutMs / 1000} s`);
    }
    await sleep(PROBE_INTERVAL_MS);
  }
}

/** True when `host:port` accepts TCP connections; never rejects. */
export function acceptsConnections(address: string, timeoutMs: number): Promise<boolean> {
  const colon = address.lastIndexOf(':');
  return new Promise((resolve) => {
    const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
    const port = Number(address.slice(colon + 1));
    const socket = connect({ host, port, timeout: timeoutMs });
    const finish = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
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

/**
 * True when the broker at `host:port` answers and lists itself among the cluster's live brokers;
 * never rejects.
 */
export async function brokerServes(address: string): Promise<boolean> {
  if (!(await acceptsConnections(address, PROBE_TIMEOUT_MS))) return false;
  const kafka = new Kafka({
    clientId: 'sandbox-readiness',
    brokers: [address],
    logLevel: logLevel.NOTHING,
    requestTimeout: PROBE_TIMEOUT_MS,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { brokers } = await admin.describeCluster();
    return brokers.some(({ host, port }) => `${host}:${port}` === address);
  } catch {
    return false;
  } finally {
    await admin.disconnect();
  }
}

/** True when the registry lists its subjects; never rejects. */
export async function registryServes(url: string, timeoutMs = PROBE_TIMEOUT_MS): Promise<boolean> {
  try {
    const response = await fetch(`${url}/subjects`, { signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
