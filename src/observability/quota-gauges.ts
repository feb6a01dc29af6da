import type { Registry } from 'prom-client';
import { largest } from '../engine/extremes.ts';
import type { ServiceHealth, ScopeHealth } from './health.ts';
import { createGauges } from './instruments.ts';

const kinds: readonly ScopeHealth['scope']['kind'][] = ['app', 'user', 'account', 'page'];

/** Registers the gauges of the quota scopes by kind; no label is an account. */
export function registerQuotaGauges(
  registry: Registry,
  health: () => ServiceHealth,
  nowMs: () => number,
): void {
  const gauge = createGauges(registry);
  const byKind = (worth: (scopes: readonly ScopeHealth[]) => number) =>
    kinds.map((kind) => {
      const scopes = [...health().scopes.values()].filter(({ scope }) => scope.kind === kind);
      return { kind, value: worth(scopes) };
    });
  gauge(
    {
      name: 'usage_ratio',
      help: 'Quota in use by the scope that has used most of its own, 1 being all, to 0.05',
    },
    ['scope_kind'],
    (ratio) => {
      const worst = byKind((scopes) =>
        largest(
          scopes.map(({ percent }) => percent / 100),
          0,
        ),
      );
      for (const { kind, value } of worst) ratio.set({ scope_kind: kind }, value);
    },
  );
  gauge(
    { name: 'scopes_limited', help: 'Scopes of the quota that are slowed or stopped' },
    ['scope_kind', 'state'],
    (limited) => {
      for (const state of ['slowed', 'stopped'] as const) {
        const counts = byKind((scopes) => scopes.filter(isIn(state, nowMs())).length);
        for (const { kind, value } of counts) limited.set({ scope_kind: kind, state }, value);
      }
    },
  );
}

/** Tests a scope's state. A stop ends at its time even without a further request. */
function isIn(state: ScopeHealth['state'], nowMs: number): (scope: ScopeHealth) => boolean {
  return (scope) => scope.state === state && (scope.untilMs === null || scope.untilMs > nowMs);
}
