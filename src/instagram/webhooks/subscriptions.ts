import type { Account } from '../../engine/account.ts';
import { FailError } from '../../engine/errors.ts';
import { type Json, type Node, isNode, listOf } from '../../engine/json.ts';
import type { GraphRequest } from '../../engine/ports.ts';
import { networkError } from '../api/network.ts';
import { graphUrl } from '../api/client.ts';
import { createRedact } from '../api/redaction.ts';
import { readNode } from '../api/response.ts';
import type { Answer, Transport } from '../api/transport.ts';
import type { GraphOptions } from '../options.ts';
import { type InstagramStreamName, streams } from '../streams/index.ts';

/** The page field that subscribes a page: a page has none of the fields of Instagram. */
const pageField = 'feed';

/** The fields that Instagram Login delivers; mentions come in `comments`. */
const instagramLoginFields = new Set(['comments', 'live_comments']);

/**
 * Returns the fields to which an account is subscribed. With Facebook Login it is its page, to any
 * field of a page; the fields of Instagram are those that the app's dashboard selects.
 * @see https://developers.facebook.com/docs/graph-api/webhooks/getting-started/webhooks-for-instagram (read 2026-11)
 */
export function subscribedFieldsOf(
  login: GraphOptions['login'],
  names: readonly InstagramStreamName[],
): readonly string[] {
  const fields = names.flatMap((name) => streams[name].webhookFields);
  if (login === 'facebook') return fields.length === 0 ? [] : [pageField];
  return fields.filter((field) => instagramLoginFields.has(field));
}

/** The page or the account that subscribes, with its own token. */
interface Subscriber {
  readonly path: string;
  readonly token: string;
}

interface SubscriptionCall extends Subscriber {
  readonly method: 'get' | 'post' | 'delete';
  readonly query: Readonly<Record<string, string>>;
}

/** The webhook subscriptions of accounts. Its methods throw as `Graph.get`. */
export class Subscriptions {
  readonly #options: GraphOptions;
  readonly #transport: Transport;

  constructor(options: GraphOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
  }

  /** Returns the fields of an account's subscription; null without one. */
  async read(
    account: Account,
    token: string,
    signal: AbortSignal,
  ): Promise<readonly string[] | null> {
    const subscriber = await this.#subscriberOf(account, token, signal);
    return this.#fieldsOf(account, subscriber, signal);
  }

  /**
   * Adds fields to an account's subscription, because Meta replaces the list.
   * @returns the fields of the subscription afterwards
   */
  async add(
    account: Account,
    { token, fields }: { readonly token: string; readonly fields: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const subscriber = await this.#subscriberOf(account, token, signal);
    const before = (await this.#fieldsOf(account, subscriber, signal)) ?? [];
    const after = [...new Set([...before, ...fields])];
    if (after.length > before.length) await this.#write(account, { subscriber, after }, signal);
    return after;
  }

  /**
   * Removes fields from an account's subscription; other fields stay, such as those of messages.
   * @returns the fields of the subscription afterwards; null when none is left
   */
  async remove(
    account: Account,
    { token, fields }: { readonly token: string; readonly fields: readonly string[] },
    signal: AbortSignal,
  ): Promise<readonly string[] | null> {
    const subscriber = await this.#subscriberOf(account, token, signal);
    const before = await this.#fieldsOf(account, subscriber, signal);
    if (before === null) return null;
    const after = before.filter((field) => !fields.includes(field));
    if (after.length < before.length || after.length === 0) {
      await this.#write(account, { subscriber, after }, signal);
    }
    return after.length === 0 ? null : after;
  }

  /** Writes the list of fields; an empty list removes the subscription. */
  async #write(
    account: Account,
    { subscriber, after }: { readonly subscriber: Subscriber; readonly after: readonly string[] },
    signal: AbortSignal,
  ): Promise<void> {
    const path = `${subscriber.path}/subscribed_apps`;
    const method = after.length === 0 ? 'delete' : 'post';
    const query = method === 'post' ? { subscribed_fields: after.join(',') } : {};
    const body = await this.#call(
      account,
      { method, path, query, token: subscriber.token },
      signal,
    );
    if (body['success'] === true) return;
    throw new FailError('graph.refused', `${path}: expected {"success": true}, got another answer`);
  }

  async #fieldsOf(
    account: Account,
    { path, token }: Subscriber,
    signal: AbortSignal,
  ): Promise<readonly string[] | null> {
    const call = { method: 'get', path: `${path}/subscribed_apps`, query: {}, token } as const;
    const body = await this.#call(account, call, signal);
    const entries = (listOf(body['data']) ?? []).filter(isNode);
    const own = this.#ownEntry(entries);
    return own === undefined ? null : textsIn(own['subscribed_fields']);
  }

  /** A page lists all its apps; with Instagram Login the id may be that of the whole app. */
  #ownEntry(entries: readonly Node[]): Node | undefined {
    const { clientId, login } = this.#options;
    const own = entries.find(({ id }) => id === clientId);
    const isOnly = entries.length === 1 && (login === 'instagram' || clientId === null);
    return own ?? (isOnly ? entries[0] : undefined);
  }

  async #subscriberOf(account: Account, token: string, signal: AbortSignal): Promise<Subscriber> {
    const { id, pageId } = account;
    if (this.#options.login === 'instagram') return { path: `/${id}`, token };
    if (pageId === null) {
      throw new FailError(
        'graph.permission',
        'no token lists the page of the account; give the user of the token a role on the page',
      );
    }
    const path = `/${pageId}`;
    const call = { method: 'get', path, query: { fields: 'access_token' }, token } as const;
    const { access_token: pageToken } = await this.#call(account, call, signal);
    if (typeof pageToken === 'string' && pageToken !== '') return { path, token: pageToken };
    throw new FailError(
      'graph.permission',
      `${path}: the API gives no token of the page; the token needs pages_show_list and pages_manage_metadata, and its user a role on the page`,
    );
  }

  async #call(
    account: Account,
    { method, path, query, token }: SubscriptionCall,
    signal: AbortSignal,
  ): Promise<Node> {
    const { baseUrl, login, requestTimeoutMs } = this.#options;
    const endpoint = path.replaceAll(/\d{5,}/g, login === 'facebook' ? '{page}' : '{account}');
    const request: GraphRequest = { endpoint, path, query, accountId: account.id };
    const redact = createRedact(token);
    const url = graphUrl({ path, query: method === 'post' ? {} : query }, token, this.#options);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
    const send = (): Promise<Answer> =>
      method === 'post'
        ? this.#transport.post(url, new URLSearchParams(query), token, limited)
        : this.#transport[method](url, token, limited);
    const answer = await send().catch((error: unknown) => {
      signal.throwIfAborted();
      throw networkError(error, { request, host: new URL(baseUrl).host, redact });
    });
    const redactBody = (text: string): string => text;
    const context = { request, login, pageId: account.pageId, nowMs: Date.now() };
    return readNode(answer, { ...context, redact, redactBody });
  }
}

function textsIn(list: Json | undefined): readonly string[] {
  return (listOf(list) ?? []).flatMap((one) => (typeof one === 'string' ? [one] : []));
}
