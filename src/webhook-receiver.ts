import { type Config, enabledStreams } from './config/config.ts';
import { webhookReceiverOf } from './credentials.ts';
import type { ShutdownBudget } from './engine/shutdown-budget.ts';
import { readWebhookPayload } from './instagram/webhooks/payload.ts';
import {
  createWebhookReceiver,
  type WebhookReceiverParts,
} from './observability/http/webhook-receiver.ts';
import type { Observability } from './observability/index.ts';

interface ReceiverParts extends Pick<
  WebhookReceiverParts,
  'inbox' | 'accounts' | 'telemetry' | 'clock'
> {
  readonly observability: Pick<Observability, 'hide'>;
  readonly shutdown: ShutdownBudget;
}

/**
 * Opens the receiver of Instagram's webhooks, which listens until it is disposed of; the disposal
 * answers the requests in hand first. Without WEBHOOK_RECEIVER_PORT it opens nothing.
 * @throws StopProcessError `config.invalid` (exit code 2) when it cannot listen on its address
 */
export async function openWebhookReceiver(
  config: Config,
  { observability, shutdown, ...parts }: ReceiverParts,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const settings = webhookReceiverOf(config, observability.hide);
  if (settings !== null) {
    const streams: ReadonlySet<string> = new Set(enabledStreams(config));
    const receiver = createWebhookReceiver(settings, {
      ...parts,
      read: (body, facts) => readWebhookPayload(body, { ...facts, streams }),
      monotonicMs: () => performance.now(),
      closeMs: () => shutdown.leftMs('webhooks'),
    });
    await stack.use(receiver).listen();
  }
  return stack.move();
}
