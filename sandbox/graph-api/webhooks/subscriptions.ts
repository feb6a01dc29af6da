import type { CallerIdentity } from '../callers.ts';
import { graphError } from '../errors.ts';
import type { Json } from '../json.ts';
import { mayRead } from '../tokens/app.ts';
import { required } from '../tokens/parameters.ts';
import type { World } from '../world/model.ts';
import { type WebhookSettings, WEBHOOK_FIELDS } from './settings.ts';
import type { Webhooks } from './webhooks.ts';

/** Some of the fields of Meta's object `page`; it has no `comments`. */
const PAGE_FIELDS = ['feed', 'mention', 'name', 'picture', 'messages', 'conversations'];
/** The fields of the object `instagram` that the edge of an account accepts. */
const ACCOUNT_FIELDS = [...WEBHOOK_FIELDS, 'messages', 'message_reactions', 'messaging_seen'];

interface SubscriptionRequest {
  readonly request: { readonly method: string };
  readonly parsed: {
    readonly segments: readonly string[];
    readonly parameters: ReadonlyMap<string, string>;
  };
  readonly token: string;
  readonly identity: CallerIdentity | undefined;
}

/** True for a request of the edge `subscribed_apps`, the only one that takes other methods. */
export function isSubscription({ parsed: { segments } }: SubscriptionRequest): boolean {
  return segments.length === 2 && segments[1] === 'subscribed_apps';
}

/** Answers `/{page}/subscribed_apps` and `/{account}/subscribed_apps`. */
export function answerSubscription(
  incoming: SubscriptionRequest,
  { world, webhooks }: { readonly world: World; readonly webhooks: Webhooks },
): Json {
  const { request, parsed } = incoming;
  const { id, known } = subscriberOf(incoming, world, webhooks);
  const { subscriptions } = webhooks;
  switch (request.method) {
    case 'GET': {
      const fields = subscriptions.get(id);
      if (fields === undefined) return { data: [] };
      const { clientId, name } = world.app;
      const link = 'https://www.example.com/';
      return {
        data: [{ category: 'Business', link, name, id: clientId, subscribed_fields: [...fields] }],
      };
    }
    case 'POST':
      // A new list replaces the one before.
      subscriptions.set(id, readFields(required(parsed.parameters, 'subscribed_fields'), known));
      return { success: true };
    case 'DELETE':
      subscriptions.delete(id);
      return { success: true };
    default:
      throw graphError('unsupported-method', request.method.toLowerCase());
  }
}

function readFields(text: string, known: readonly string[]): readonly string[] {
  const fields = text.split(',').map((field) => field.trim());
  fields.forEach((field, index) => {
    if (!known.includes(field)) {
      throw graphError('no-subscribed-field', index, known.join(', '), field);
    }
  });
  return fields;
}

/** The page or account that subscribes, and the fields that it accepts. */
function subscriberOf(
  { parsed, token, identity }: SubscriptionRequest,
  world: World,
  { settings }: Webhooks,
) {
  const id = parsed.segments[0] ?? '';
  if (identity === undefined) throw graphError('bad-token');
  const { caller, dialect } = identity;
  if (!mayRead('webhooks', { token, dialect, world })) throw graphError('no-permission');
  if (caller.kind === 'user') {
    const isPage = world.pages.some((page) => page.id === id);
    throw isPage ? graphError('page-token-required') : graphError('no-object', id);
  }
  const { own, names, known } =
    caller.kind === 'page'
      ? { own: caller.page, names: ['me', caller.page.id], known: fieldsOfPage(settings) }
      : {
          own: caller.account,
          names: ['me', caller.account.id, caller.account.appScopedId],
          known: ACCOUNT_FIELDS,
        };
  if (!names.includes(id)) throw graphError('no-object', id);
  return { id: own.id, known };
}

function fieldsOfPage({ pageFields }: WebhookSettings): readonly string[] {
  return pageFields === 'any' ? [...PAGE_FIELDS, ...WEBHOOK_FIELDS] : PAGE_FIELDS;
}
