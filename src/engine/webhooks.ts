import type { Node } from './json.ts';
import { stateKey } from './state.ts';
import type { StreamName } from './stream-name.ts';

/** One change of an account's data that Meta has reported by a webhook. */
export interface WebhookChange {
  /** `<account id>/<field>/<object id>`: a repeated delivery has the same key. */
  readonly key: string;
  readonly accountId: string;
  /** The stream that publishes it: `comments`, `mentions` or `story_insights`. */
  readonly stream: StreamName;
  /** The webhook's field, such as `live_comments`. */
  readonly field: string;
  /** The time when Meta sent it, epoch milliseconds. */
  readonly sentMs: number;
  /** The parts of the payload that the stream needs. */
  readonly value: Node;
}

/** The inbox as the receiver of webhooks uses it. */
export interface WebhookInbox {
  /**
   * Commits changes to the inbox topic, except those of an account without room.
   * @throws Error after the commit when an account has no room; RetryError `kafka.unavailable`,
   * StopProcessError `kafka.unauthorized`; the signal's reason
   */
  accept(changes: readonly WebhookChange[], signal: AbortSignal): Promise<void>;
  /** True while so many changes are pending that the receiver takes no more. */
  readonly isFull: boolean;
}

/** The role of the inbox topic. */
export const inboxRole = 'webhooks';

/** The most pending changes at which the receiver still takes more (Invariant 10). */
const mostPending = 100_000;

/** The same for one account, so that one that is not polled leaves room for the others. */
export const mostOfAccount = 10_000;

/** The retention of the inbox topic: longer than the 36 hours for which Meta repeats a webhook. */
export const inboxRetentionMs = 7 * 86_400_000;

/**
 * The pending changes: those in the inbox topic that no commit has removed, as far as this instance
 * has read the topic. It holds the changes of every account, because any instance may poll it next.
 */
export class PendingChanges {
  readonly #changes = new Map<string, WebhookChange>();
  /** Keys of pending changes by stream and account. */
  readonly #keys = new Map<string, Set<string>>();
  readonly #counts = new Map<string, number>();
  /** Listeners by stream and account. */
  readonly #listeners = new Map<string, Set<() => void>>();

  get isFull(): boolean {
    return this.#changes.size >= mostPending;
  }

  add(change: WebhookChange): void {
    const { key, stream, accountId } = change;
    this.#expire(change.sentMs - inboxRetentionMs);
    const job = stateKey(stream, accountId);
    if (!this.#changes.has(key)) this.#count(accountId, 1);
    this.#changes.set(key, change);
    this.#keys.set(job, (this.#keys.get(job) ?? new Set()).add(key));
    for (const listener of this.#listeners.get(job) ?? []) listener();
  }

  remove(key: string): void {
    const change = this.#changes.get(key);
    if (change === undefined) return;
    this.#changes.delete(key);
    this.#count(change.accountId, -1);
    const job = stateKey(change.stream, change.accountId);
    const keys = this.#keys.get(job);
    keys?.delete(key);
    if (keys?.size === 0) this.#keys.delete(job);
  }

  #count(accountId: string, more: 1 | -1): void {
    const count = (this.#counts.get(accountId) ?? 0) + more;
    if (count === 0) this.#counts.delete(accountId);
    else this.#counts.set(accountId, count);
  }

  /** Removes the changes that the topic has no more, such as those of accounts without a token. */
  #expire(beforeMs: number): void {
    for (const { key, sentMs } of this.#changes.values()) {
      if (sentMs >= beforeMs) return;
      this.remove(key);
    }
  }

  /** False while so many changes of an account are pending that the receiver takes no more. */
  hasRoomFor(accountId: string): boolean {
    return (this.#counts.get(accountId) ?? 0) < mostOfAccount;
  }

  has(change: WebhookChange): boolean {
    return this.#changes.get(change.key) === change;
  }

  /** Moves changes behind the others of their stream and account. */
  postpone(changes: readonly WebhookChange[]): void {
    for (const change of changes) {
      if (!this.has(change)) continue;
      this.remove(change.key);
      this.add(change);
    }
  }

  /** Forgets everything, before the topic is read from its beginning. */
  clear(): void {
    this.#changes.clear();
    this.#keys.clear();
    this.#counts.clear();
  }

  /** Returns the oldest pending changes of a stream of an account, `most` of them. */
  of(stream: StreamName, accountId: string, most: number): readonly WebhookChange[] {
    const keys = this.#keys.get(stateKey(stream, accountId)) ?? [];
    return [...keys].slice(0, most).flatMap((key) => this.#changes.get(key) ?? []);
  }

  /** Resolves at the next change of a stream of an account, or when aborted. */
  async next(stream: StreamName, accountId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const job = stateKey(stream, accountId);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const end = (): void => {
      resolve(undefined);
    };
    const listeners = this.#listeners.get(job) ?? new Set();
    this.#listeners.set(job, listeners.add(end));
    signal.addEventListener('abort', end);
    await promise;
    signal.removeEventListener('abort', end);
    listeners.delete(end);
    if (listeners.size === 0) this.#listeners.delete(job);
  }
}
