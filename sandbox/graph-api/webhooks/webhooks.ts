import { randomInt } from 'node:crypto';
import type { Json } from '../json.ts';
import type { Account, World } from '../world/model.ts';
import { type WebhookRequest, requestsOf } from './body.ts';
import { type Login, type Span, happeningsOf } from './happenings.ts';
import { Sender } from './sender.ts';
import {
  type WebhookEvent,
  type WebhookOrder,
  type WebhookSettings,
  FIRST_SETTINGS,
} from './settings.ts';

/** The webhooks of the callers' app: its settings, its subscribed accounts, and what is sent. */
export class Webhooks implements Disposable {
  /** The subscribed fields by the id of a page or an account. */
  readonly subscriptions = new Map<string, readonly string[]>();
  readonly #world: World;
  readonly #sender: Sender;
  #settings = FIRST_SETTINGS;
  #lookedAtMs: number;
  #handshake: 'none' | 'waiting' | 'accepted' | 'rejected' = 'none';
  #shaking = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
    this.#lookedAtMs = world.clock.now();
    this.#sender = new Sender(
      () => this.#settings,
      () => world.clock.now(),
    );
  }

  get settings(): WebhookSettings {
    return this.#settings;
  }

  /** The latest accepted requests, oldest first. */
  get accepted(): readonly WebhookRequest[] {
    return this.#sender.accepted;
  }

  /** Changes the settings; a new address gets a handshake. */
  configure(changes: Partial<WebhookSettings>): void {
    this.#settings = { ...this.#settings, ...changes };
    if (!('callbackUrl' in changes || 'verifyToken' in changes)) return;
    const { callbackUrl, verifyToken } = this.#settings;
    this.#handshake = 'none';
    if (callbackUrl === null || verifyToken === null) return;
    this.#handshake = 'waiting';
    this.#shaking = shake(callbackUrl, verifyToken).then((isAccepted) => {
      this.#handshake = isAccepted ? 'accepted' : 'rejected';
    });
  }

  /** Sends what has happened in the world since the last call. */
  look(): void {
    const isOpen = this.#settings.callbackUrl !== null;
    if (!isOpen || this.#handshake === 'waiting' || this.#handshake === 'rejected') return;
    const toMs = this.#world.clock.now();
    const fromMs = this.#lookedAtMs;
    this.#lookedAtMs = toMs;
    if (toMs > fromMs) this.#sendAll(this.#happened({ fromMs, toMs }));
  }

  /** Sends what an order names. */
  send({ since, again, changes }: Partial<WebhookOrder>): void {
    if (since !== undefined) {
      this.#sendAll(this.#happened({ fromMs: since, toMs: this.#world.clock.now() }));
    }
    if (again === true) this.#sender.send(this.#sender.accepted);
    if (changes !== undefined) this.#sendAll(changes);
  }

  /** Goes back to the settings of a new world, and forgets all else. */
  reset(): void {
    this.#settings = FIRST_SETTINGS;
    this.#handshake = 'none';
    this.subscriptions.clear();
    this.#sender.clear();
    this.#lookedAtMs = this.#world.clock.now();
  }

  describe(): Json {
    return {
      ...(JSON.parse(JSON.stringify(this.#settings)) as Record<string, Json>),
      handshake: this.#handshake,
      subscriptions: Object.fromEntries(this.subscriptions),
      pending: this.#sender.pending,
      tries: this.#sender.tries.map((one) => ({ ...one })),
    };
  }

  /** Resolves when no request and no handshake waits. */
  async idle(): Promise<void> {
    await this.#shaking;
    await this.#sender.idle();
  }

  [Symbol.dispose](): void {
    this.#sender[Symbol.dispose]();
  }

  #sendAll(events: readonly WebhookEvent[]): void {
    const settings = this.#settings;
    const { clock, app } = this.#world;
    this.#sender.send(
      requestsOf(events, { settings, nowMs: clock.now(), secret: app.clientSecret }),
    );
  }

  #happened(span: Span): readonly WebhookEvent[] {
    const world = this.#world;
    const settings = this.#settings;
    return world.accounts.flatMap((account) =>
      subscribedLogins(account, this).flatMap(({ login, fields }) =>
        happeningsOf(account, login, { span, world, settings }).filter(({ field }) =>
          fields.includes(field),
        ),
      ),
    );
  }
}

interface Subscribed {
  readonly login: Login;
  readonly fields: readonly string[];
}

/** The logins through which the app receives an account's webhooks, and the fields of each. */
function subscribedLogins(
  { id, pageId }: Account,
  { settings, subscriptions }: Pick<Webhooks, 'settings' | 'subscriptions'>,
): readonly Subscribed[] {
  const { fields, fieldsPerAccount, subscribeAll } = settings;
  const own = subscriptions.get(id);
  const ofPage = subscribeAll || subscriptions.has(pageId);
  return [
    ...(ofPage ? [{ login: 'facebook' as const, fields }] : []),
    ...(own === undefined
      ? []
      : [
          {
            login: 'instagram' as const,
            fields: fieldsPerAccount ? fields.filter((field) => own.includes(field)) : fields,
          },
        ]),
  ];
}

/** Sends Meta's handshake; true when the answer is the challenge. */
async function shake(callbackUrl: string, verifyToken: string): Promise<boolean> {
  const url = new URL(callbackUrl);
  const challenge = String(randomInt(1_000_000_000, 2_000_000_000));
  url.searchParams.set('hub.mode', 'subscribe');
  url.searchParams.set('hub.challenge', challenge);
  url.searchParams.set('hub.verify_token', verifyToken);
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) });
    return response.status === 200 && (await response.text()) === challenge;
  } catch {
    return false;
  }
}
