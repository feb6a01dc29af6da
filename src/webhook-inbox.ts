import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { type Backoff, backoffMs } from './engine/backoff.ts';
import { slept } from './engine/clock.ts';
import { messageOf } from './engine/errors.ts';
import { isNode, parseJson } from './engine/json.ts';
import type { Clock } from './engine/ports.ts';
import {
  mostOfAccount,
  type PendingChanges,
  type WebhookChange,
  type WebhookInbox,
} from './engine/webhooks.ts';
import type { InboxReader, InboxRecord, WebhookTopic } from './kafka/index.ts';
import type { LeveledLog } from './observability/index.ts';

interface InboxParts {
  /** The secret of the app, which all instances and only they have. */
  readonly appSecret: string;
  readonly topic: Pick<WebhookTopic, 'append' | 'follow'>;
  readonly pending: PendingChanges;
}

/** Changes of one produce request (Invariant 10): a live comment has up to 2,200 characters. */
const changesAtOnce = 50;

/** Creates the inbox: accepted changes go into its topic, encrypted. */
export function createInbox({ appSecret, topic, pending }: InboxParts): WebhookInbox {
  const sealer = createSealer(appSecret);
  return {
    async accept(changes, signal) {
      const taken = changes.filter(({ accountId }) => pending.hasRoomFor(accountId));
      const records = taken.map((change) => ({
        key: change.key,
        value: sealer.seal(JSON.stringify(change)),
      }));
      for (let start = 0; start < records.length; start += changesAtOnce) {
        await topic.append(records.slice(start, start + changesAtOnce), signal);
      }
      const refused = changes.find((change) => !taken.includes(change));
      if (refused !== undefined) {
        throw new Error(
          `account ${refused.accountId}: its backlog of ${mostOfAccount} changes is full`,
        );
      }
    },
    get isFull() {
      return pending.isFull;
    },
  };
}

interface FollowTools {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Pick<LeveledLog, 'warn'>;
}

const followBackoff: Backoff = { baseMs: 1000, maxMs: 60_000 };

/**
 * Keeps the pending changes as the inbox topic has them, until aborted. After an error it reads the
 * topic again from its beginning. Never rejects.
 */
export async function followInbox(
  { appSecret, topic, pending }: InboxParts,
  { clock, random, log }: FollowTools,
  signal: AbortSignal,
): Promise<void> {
  const sealer = createSealer(appSecret);
  let isReported = false;
  const takeInto = (changes: Replay, { key, value }: InboxRecord): void => {
    const change = value === null ? undefined : toChange(sealer.open(value));
    if (change !== undefined) changes.add(change);
    else changes.remove(key);
    if (value === null || change !== undefined || isReported) return;
    isReported = true;
    log.warn({ key }, 'unreadable webhook change ignored: another app secret has encrypted it');
  };
  let failures = 0;
  while (!signal.aborted) {
    pending.clear();
    const changes = createReplay(pending);
    const reader: InboxReader = {
      take: (record) => {
        takeInto(changes, record);
      },
      onCurrent: () => {
        failures = 0;
        changes.release();
      },
    };
    try {
      await topic.follow(reader, signal);
    } catch (error) {
      failures += 1;
      log.warn({ reason: messageOf(error) }, 'reading the inbox of webhooks failed');
      if (!(await slept(backoffMs(followBackoff, failures, random()), clock, signal))) return;
    }
  }
}

type Replay = ReturnType<typeof createReplay>;

/**
 * Creates the target of a reading from the beginning. Until the reading is current, changes are kept
 * apart: the tombstone of a processed one is still to come, and compaction is late.
 */
function createReplay(pending: PendingChanges) {
  const old = new Map<string, WebhookChange>();
  let isCurrent = false;
  return {
    add(change: WebhookChange): void {
      if (isCurrent) pending.add(change);
      else old.set(change.key, change);
    },
    remove(key: string): void {
      if (isCurrent) pending.remove(key);
      else old.delete(key);
    },
    /** Makes the changes that were kept apart pending, and later ones at once. */
    release(): void {
      isCurrent = true;
      for (const change of old.values()) pending.add(change);
      old.clear();
    },
  };
}

/** Checks a change of the topic; undefined for a text that is none. */
function toChange(text: string | undefined): WebhookChange | undefined {
  const json = text === undefined ? undefined : parseJson(text);
  if (!isNode(json)) return undefined;
  const { key, accountId, stream, field, sentMs, value } = json;
  const texts = [key, accountId, stream, field];
  const isChange = texts.every((one) => typeof one === 'string') && typeof sentMs === 'number';
  return isChange && isNode(value) ? (json as unknown as WebhookChange) : undefined;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Creates the encryption of the topic's values by a key derived from the app's secret. What people
 * have written is in the topic before masking, exclusion and `forget` apply to it.
 */
function createSealer(appSecret: string) {
  const info = 'instagram-kafka-producer webhooks';
  const key = Buffer.from(hkdfSync('sha256', appSecret, '', info, 32));
  return {
    seal(text: string): Buffer {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce);
      const sealed = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]);
    },
    /** Returns undefined for bytes that another secret has encrypted. */
    open(bytes: Buffer): string | undefined {
      const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes));
        decipher.setAuthTag(tag);
        const opened = decipher.update(bytes.subarray(nonceBytes + tagBytes));
        return Buffer.concat([opened, decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}
