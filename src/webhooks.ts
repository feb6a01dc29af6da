import { enabledStreams, type Config } from './config/config.ts';
import { webhookReceiverOf } from './credentials.ts';
import type { Clock, Telemetry } from './engine/ports.ts';
import type { ShutdownBudget } from './engine/shutdown-budget.ts';
import { settled } from './engine/shutdown.ts';
import type { PendingChanges } from './engine/webhooks.ts';
import type { NarrowedDirectory } from './instagram/directory.ts';
import { readWebhookPayload } from './instagram/webhooks/payload.ts';
import type { KafkaAdapter } from './kafka/index.ts';
import { createWebhookReceiver } from './observability/http/webhook-receiver.ts';
import type { Observability } from './observability/index.ts';
import { createInbox, followInbox } from './webhook-inbox.ts';

interface WebhookParts {
  readonly kafka: Pick<KafkaAdapter, 'webhooks'>;
  readonly observability: Pick<Observability, 'hide' | 'log'>;
  readonly pending: PendingChanges;
  readonly instagram: { readonly directory: Pick<NarrowedDirectory, 'listed'> };
  readonly clock: Clock;
  readonly random: () => number;
  readonly telemetry: Telemetry;
  readonly shutdown: ShutdownBudget;
}

/**
 * Receives webhooks beside the polls, and reads what all instances have received; does nothing while
 * the receiver is off. The topics must be prepared. Disposing of it ends both in bounded time.
 * @throws StopProcessError `config.invalid` when it cannot listen on its address
 */
export async function openWebhooks(
  config: Config,
  parts: WebhookParts,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const { kafka, observability, pending, instagram, shutdown } = parts;
  await using opened = new AsyncDisposableStack();
  const settings = webhookReceiverOf(config, observability.hide);
  if (settings === null) return opened.move();
  const inbox = { appSecret: settings.appSecret(), topic: kafka.webhooks, pending };
  const stop = new AbortController();
  const following = followInbox(inbox, { ...parts, ...observability }, stop.signal);
  opened.defer(async () => {
    stop.abort();
    await settled(following, shutdown.leftMs('leaving'));
  });
  const streams = new Set(enabledStreams(config));
  const receiver = createWebhookReceiver(settings, {
    ...parts,
    inbox: createInbox(inbox),
    accounts: () => instagram.directory.listed(),
    read: (body, facts) => readWebhookPayload(body, { ...facts, streams }),
    monotonicMs: () => performance.now(),
    closeMs: () => shutdown.leftMs('webhooks'),
  });
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= Promise.resolve(receiver[Symbol.asyncDispose]()));
  // From the beginning of a shutdown, Meta sends to the other instances.
  signal.addEventListener('abort', () => void close(), { once: true });
  opened.defer(close);
  await receiver.listen();
  return opened.move();
}
