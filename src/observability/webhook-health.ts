import type { EventOf } from './event-handlers.ts';

/** The receiver of Instagram's webhooks, since it listens. */
export interface WebhookHealth {
  readonly url: string;
  /** The time of the last accepted request, epoch milliseconds; null for none. */
  readonly acceptedAtMs: number | null;
  readonly refused: {
    readonly atMs: number;
    readonly outcome: EventOf<'webhook-request'>['outcome'];
    readonly reason: string;
  } | null;
}

export function listening({ url }: EventOf<'webhook-listening'>): WebhookHealth {
  return { url, acceptedAtMs: null, refused: null };
}

/** Returns the health after a request. */
export function afterRequest(
  webhooks: WebhookHealth,
  { outcome, reason }: EventOf<'webhook-request'>,
  nowMs: number,
): WebhookHealth {
  if (outcome === 'accepted') return { ...webhooks, acceptedAtMs: nowMs };
  if (outcome === 'verified') return webhooks;
  return { ...webhooks, refused: { atMs: nowMs, outcome, reason } };
}
