import { setTimeout as delay } from 'node:timers/promises';
import type { WebhookRequest } from './body.ts';
import type { WebhookSettings } from './settings.ts';

/** One try to deliver a request. */
export interface DeliveryTry {
  readonly at: string;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly changes: number;
  readonly forged: boolean;
  /** The status of the answer; null without one. */
  readonly status: number | null;
}

/** The most tries and accepted requests that are kept. */
const KEPT = 1000;

/** Sends requests one after another, and repeats those that are not accepted. */
export class Sender implements Disposable {
  readonly #settings: () => WebhookSettings;
  readonly #now: () => number;
  readonly #running = new Set<Promise<void>>();
  #stop = new AbortController();
  #last = Promise.resolve();
  /** The latest tries, oldest first. */
  tries: readonly DeliveryTry[] = [];
  /** The accepted requests, oldest first. */
  accepted: readonly WebhookRequest[] = [];

  constructor(settings: () => WebhookSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** The number of requests that wait for their first or next try. */
  get pending(): number {
    return this.#running.size;
  }

  /** First tries are in order; a repetition does not hold up other requests. */
  send(requests: readonly WebhookRequest[]): void {
    for (const request of requests) {
      const task = this.#last.then(() => this.#deliver(request));
      this.#last = task.catch(() => undefined);
      this.#track(task);
    }
  }

  /** Forgets the tries, and drops the waiting requests. */
  clear(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#last = Promise.resolve();
    this.tries = [];
    this.accepted = [];
  }

  /** Resolves when no request waits. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  #track(task: Promise<void>): void {
    // Aborted with the sender or by `clear`.
    const tracked = task.catch(() => undefined).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  async #deliver(request: WebhookRequest): Promise<void> {
    const { signal } = this.#stop;
    const isAccepted = await this.#try(request, 1, signal);
    if (request.isForged) return;
    if (!isAccepted) {
      this.#track(this.#repeat(request, signal));
      return;
    }
    this.#keep(request);
    for (let again = 0; again < this.#settings().repeat; again += 1) {
      await this.#try(request, 1, signal);
    }
  }

  /** Repeats at once, and then after waits that double. */
  async #repeat(request: WebhookRequest, signal: AbortSignal): Promise<void> {
    const startMs = Date.now();
    for (let attempt = 2; Date.now() - startMs <= this.#settings().retryForMs; attempt += 1) {
      const waitMs = attempt === 2 ? 0 : this.#settings().retryMs * 2 ** (attempt - 3);
      await delay(waitMs, undefined, { signal });
      if (!(await this.#try(request, attempt, signal))) continue;
      this.#keep(request);
      return;
    }
  }

  async #try(request: WebhookRequest, attempt: number, signal: AbortSignal): Promise<boolean> {
    await delay(this.#settings().delayMs, undefined, { signal });
    const status = await post(request, this.#settings(), signal);
    signal.throwIfAborted();
    const { changes, isForged } = request;
    const at = new Date(this.#now()).toISOString();
    const one = { at, attempt, changes, forged: isForged, status };
    this.tries = [...this.tries, one].slice(-KEPT);
    return status === 200;
  }

  #keep(request: WebhookRequest): void {
    this.accepted = [...this.accepted, request].slice(-KEPT);
  }
}

async function post(
  { text, headers }: WebhookRequest,
  { callbackUrl, timeoutMs }: WebhookSettings,
  signal: AbortSignal,
): Promise<number | null> {
  if (callbackUrl === null) return null;
  try {
    const response = await fetch(callbackUrl, {
      method: 'POST',
      body: text,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}
