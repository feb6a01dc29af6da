import { createHmac } from 'node:crypto';
import { type Backoff, backoffMs } from '../../engine/backoff.ts';
import { messageOf } from '../../engine/errors.ts';
import { type NotifierTools, reportDelivery } from './notifier.ts';
import { toRecord } from './record.ts';
import type { Notification } from './tracker.ts';

/** The webhook that receives notifications. */
export interface WebhookSettings {
  /** Read for each request, as its file may have changed. */
  readonly url: () => string;
  readonly format: 'json' | 'slack';
  /** The key of the signature; null without one. */
  readonly secret: (() => string) | null;
}

/** Notifications after this age are dropped. */
const dropAfterMs = 86_400_000;
const webhookBackoff: Backoff = { baseMs: 1000, maxMs: 300_000 };
const toWebhook = { target: 'webhook', reason: '' } as const;
const requestTimeoutMs = 10_000;

/** Sends notifications to a webhook, in order. */
export interface Webhook {
  /**
   * Sends notifications in one request, and repeats it until it is accepted or all of them are a
   * day old. @throws the signal's reason
   */
  deliver(notifications: readonly Notification[], signal: AbortSignal): Promise<void>;
}

export function createWebhook(settings: WebhookSettings, tools: NotifierTools): Webhook {
  const { clock, random } = tools;
  /** The last notification of each condition that was sent, for a day (Invariant 10). */
  const sent = new Map<string, Notification>();
  const isOld = ({ atMs }: Notification): boolean => clock.nowMs() - atMs >= dropAfterMs;
  return {
    async deliver(notifications, signal) {
      let left = withoutRepetitions(notifications, sent);
      for (let attempt = 1; left.length > 0; attempt += 1) {
        const old = left.filter(isOld);
        left = left.filter((one) => !isOld(one));
        if (old.length > 0) reportDelivery(tools, { ...toWebhook, outcome: 'dropped' }, old);
        if (left.length === 0) return;
        const failure = await send(left, settings, signal);
        if (failure === null) break;
        signal.throwIfAborted();
        const { reason } = failure;
        reportDelivery(tools, { ...toWebhook, outcome: 'failed', reason }, left);
        const waitMs = failure.retryAfterMs ?? backoffMs(webhookBackoff, attempt, random());
        await clock.sleep(Math.min(waitMs, dropAfterMs), signal);
      }
      for (const one of [...sent.values()].filter(isOld)) sent.delete(one.key);
      for (const one of left) sent.set(one.key, one);
      if (left.length > 0) reportDelivery(tools, { ...toWebhook, outcome: 'delivered' }, left);
    },
  };
}

/**
 * Returns the notifications that change the status of their condition: two instances may have found
 * it at the same moment.
 */
function withoutRepetitions(
  notifications: readonly Notification[],
  sent: ReadonlyMap<string, Notification>,
): readonly Notification[] {
  const last = new Map<string, Notification>();
  return notifications.filter((one) => {
    const before = last.get(one.key) ?? sent.get(one.key);
    last.set(one.key, one);
    return before?.status !== one.status;
  });
}

interface Failure {
  readonly reason: string;
  readonly retryAfterMs?: number | undefined;
}

/** Sends one request; returns the failure, or null when the webhook has accepted it. */
async function send(
  notifications: readonly Notification[],
  { url, format, secret }: WebhookSettings,
  signal: AbortSignal,
): Promise<Failure | null> {
  const body = format === 'slack' ? slackBody(notifications) : jsonBody(notifications);
  try {
    const response = await fetch(url(), {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'instagram-kafka-producer',
        ...(secret && { 'x-signature-256': signatureOf(body, secret()) }),
      },
      // The body reaches no other host.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
    });
    await response.body?.cancel();
    if (response.ok) return null;
    const retryAfter = response.headers.get('retry-after');
    return {
      reason: `it answers with HTTP ${response.status}`,
      retryAfterMs: /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) * 1000 : undefined,
    };
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}

/** Returns the reason of a request without an answer; `fetch failed` has it in its cause. */
function reasonOf(error: unknown): string {
  const { cause } = Object(error) as { readonly cause?: unknown };
  const { code } = Object(cause) as { readonly code?: unknown };
  return typeof code === 'string' ? code : messageOf(error);
}

/** Returns the value of `X-Signature-256`: the HMAC-SHA-256 of the body. */
export function signatureOf(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Returns the body of the format `json`: the records, their times as texts. */
function jsonBody(notifications: readonly Notification[]): string {
  return JSON.stringify({
    notifications: notifications.map((one) => ({
      ...toRecord(one),
      since: new Date(one.sinceMs).toISOString(),
      at: new Date(one.atMs).toISOString(),
    })),
  });
}

/** Returns the body of the format `slack`: one message of an incoming webhook. */
export function slackBody(notifications: readonly Notification[]): string {
  return JSON.stringify({ text: notifications.map(slackText).join('\n\n') });
}

function slackText({ status, severity, message, advice, sinceMs }: Notification): string {
  const since = `since ${new Date(sinceMs).toISOString()}`;
  if (status === 'resolved') return `:white_check_mark: *resolved* (${since}): ${escaped(message)}`;
  const mark = severity === 'critical' ? ':red_circle:' : ':warning:';
  return `${mark} *${escaped(severity)}*: ${escaped(message)}\n${escaped(advice)}`;
}

/** Escapes the control characters of Slack's messages. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
