import type { AccountHealth, HealthSnapshot } from '../core/readiness.ts';
import type { TelemetryEvent } from '../runtime/ports.ts';

/** How a scope of the API's quota last stood. */
export type ScopeHealth = Omit<Extract<TelemetryEvent, { type: 'scope' }>, 'type'>;

/** What readiness is decided from, and what else there is to show. */
export interface Health extends HealthSnapshot {
  /** The scopes of the quota that were told of, by `<kind> <id>`. */
  readonly scopes: ReadonlyMap<string, ScopeHealth>;
}

/** Health before anything was reported: nothing is ready, no account is known. */
export function initialHealth(streams: Health['streams']): Health {
  return {
    dependencies: {
      state: { ready: false, reason: 'not restored yet' },
      kafka: { ready: false, reason: 'not connected yet' },
      registry: { ready: false, reason: 'not connected yet' },
      graph: { ready: false, reason: 'not connected yet' },
    },
    streams,
    accounts: new Map(),
    scopes: new Map(),
  };
}

/**
 * Health after an event, a new snapshot or the same one; pure.
 *
 * @param nowMs - when the event was reported, epoch milliseconds
 */
export function reduceHealth(health: Health, event: TelemetryEvent, nowMs: number): Health {
  switch (event.type) {
    case 'dependency': {
      const { name, ready, reason } = event;
      return { ...health, dependencies: { ...health.dependencies, [name]: { ready, reason } } };
    }
    case 'accounts':
      return { ...health, accounts: updateAccounts(health, event, nowMs) };
    case 'poll-finished':
      return succeed(health, event, nowMs);
    case 'scope': {
      const { scope, percent, state, untilMs } = event;
      const key = `${scope.kind} ${scope.id}`.trimEnd();
      const scopes = new Map(health.scopes).set(key, { scope, percent, state, untilMs });
      return { ...health, scopes };
    }
    case 'poll-failed':
    case 'request':
    case 'quota-wait':
    case 'transaction':
      return health;
  }
}

function updateAccounts(
  { accounts }: Health,
  { added, removed }: Extract<TelemetryEvent, { type: 'accounts' }>,
  nowMs: number,
): ReadonlyMap<string, AccountHealth> {
  const updated = new Map(accounts);
  for (const { id } of removed) updated.delete(id);
  for (const { id } of added) {
    if (!updated.has(id)) updated.set(id, { addedAtMs: nowMs, succeededAtMs: {} });
  }
  return updated;
}

function succeed(
  health: Health,
  { stream, accountId }: Extract<TelemetryEvent, { type: 'poll-finished' }>,
  nowMs: number,
): Health {
  const account = health.accounts.get(accountId);
  // A poll may end after its account was removed; it must not bring the account back.
  if (account === undefined) return health;
  const succeededAtMs = { ...account.succeededAtMs, [stream]: nowMs };
  return {
    ...health,
    accounts: new Map(health.accounts).set(accountId, { ...account, succeededAtMs }),
  };
}
