import type { AccountHealth, HealthSnapshot } from '../core/readiness.ts';
import type { TelemetryEvent } from '../runtime/ports.ts';

/** Health before anything was reported: nothing is ready, no account is known. */
export function initialHealth(streams: HealthSnapshot['streams']): HealthSnapshot {
  return {
    dependencies: {
      state: { ready: false, reason: 'not restored yet' },
      kafka: { ready: false, reason: 'not connected yet' },
      registry: { ready: false, reason: 'not connected yet' },
      graph: { ready: false, reason: 'not connected yet' },
    },
    streams,
    accounts: new Map(),
  };
}

/**
 * Health after an event, a new snapshot or the same one; pure.
 *
 * @param nowMs - when the event was reported, epoch milliseconds
 */
export function reduceHealth(
  health: HealthSnapshot,
  event: TelemetryEvent,
  nowMs: number,
): HealthSnapshot {
  switch (event.type) {
    case 'dependency': {
      const { name, ready, reason } = event;
      return { ...health, dependencies: { ...health.dependencies, [name]: { ready, reason } } };
    }
    case 'accounts':
      return { ...health, accounts: updateAccounts(health, event, nowMs) };
    case 'poll-finished':
      return succeed(health, event, nowMs);
    case 'poll-failed':
    case 'request':
    case 'transaction':
      return health;
  }
}

function updateAccounts(
  { accounts }: HealthSnapshot,
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
  health: HealthSnapshot,
  { stream, accountId }: Extract<TelemetryEvent, { type: 'poll-finished' }>,
  nowMs: number,
): HealthSnapshot {
  const account = health.accounts.get(accountId);
  // A poll may end after its account was removed; it must not bring the account back.
  if (account === undefined) return health;
  const succeededAtMs = { ...account.succeededAtMs, [stream]: nowMs };
  return {
    ...health,
    accounts: new Map(health.accounts).set(accountId, { ...account, succeededAtMs }),
  };
}
