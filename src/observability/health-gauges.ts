import type { Registry } from 'prom-client';
import { holds } from '../engine/refusals.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { StateSize } from '../engine/ports.ts';
import { type AccountStatus, type ServiceHealth, endOfUse } from './health.ts';
import { createGauges } from './instruments.ts';

/** The sources of gauges that are collected at each scrape. */
export interface GaugeSources {
  readonly health: () => ServiceHealth;
  readonly nowMs: () => number;
  readonly version: string;
}

/** The tokens with a series of their own, at most: those that expire first. */
const shownTokens = 50;
const dayMs = 86_400_000;

/**
 * Registers the gauges that are computed from the health at each scrape, and the build's version.
 */
export function registerHealthGauges(registry: Registry, sources: GaugeSources): void {
  const { health, version } = sources;
  const gauge = createGauges(registry);
  gauge({ name: 'accounts', help: 'Accounts being polled' }, [], (accounts) => {
    accounts.set(health().accounts.size);
  });
  gauge(
    { name: 'partitions_owned', help: 'Partitions of the state topic that this instance owns' },
    [],
    (owned) => {
      owned.set(health().partitions.length);
    },
  );
  gauge({ name: 'partitions', help: 'Partitions of the state topic' }, [], (partitions) => {
    partitions.set(health().partitionCount);
  });
  gauge(
    { name: 'dependency_up', help: '1 when the dependency can be used, 0 when not' },
    ['name'],
    (up) => {
      for (const [name, { ready }] of Object.entries(health().dependencies)) {
        up.set({ name }, ready ? 1 : 0);
      }
    },
  );
  gauge(
    { name: 'build_info', help: 'Always 1; what runs is in the labels' },
    ['version', 'node_version'],
    (info) => {
      info.set({ version, node_version: process.versions.node }, 1);
    },
  );
  registerTokenGauges(registry, sources);
  registerApiGauges(registry, sources);
  registerAccountGauges(registry, sources);
  registerStreamGauges(registry, sources);
  registerStateGauges(registry, sources);
  registerStateSizes(registry, sources);
}

/** Registers the gauges of the API: the end of its version and the rejected forms of request. */
function registerApiGauges(registry: Registry, { health }: GaugeSources): void {
  const gauge = createGauges(registry);
  gauge(
    {
      name: 'graph_api_version_end_timestamp_seconds',
      help: 'When Meta ends the configured version of the Graph API; absent when no end is known',
    },
    ['version'],
    (end) => {
      const { version: apiVersion, endsAtMs = null } = health().apiVersion ?? {};
      if (apiVersion !== undefined && endsAtMs !== null) {
        end.set({ version: apiVersion }, endsAtMs / 1000);
      }
    },
  );
  gauge(
    {
      name: 'api_form_rejected',
      help: '1 for a form of request that the API rejects, 0 for one that it takes; as last tried',
    },
    ['stream', 'form'],
    (rejected) => {
      for (const { stream, endpoint, outcome } of health().forms) {
        if (outcome === 'unknown') continue;
        rejected.set({ stream: stream ?? 'all', form: endpoint }, outcome === 'rejected' ? 1 : 0);
      }
    },
  );
}

/** Registers the gauges of the tokens that expire first. */
function registerTokenGauges(registry: Registry, { health, nowMs }: GaugeSources): void {
  const gauge = createGauges(registry);
  gauge(
    {
      name: 'token_expiry_timestamp_seconds',
      help: 'When the token expires, or since when the API refuses it; +Inf for never',
    },
    ['token'],
    (expiry) => {
      for (const [token, ms] of soonest(health())) expiry.set({ token }, ms / 1000);
    },
  );
  gauge(
    { name: 'token_expiry_days', help: 'Days until the token expires; +Inf for never' },
    ['token'],
    (days) => {
      for (const [token, ms] of soonest(health())) days.set({ token }, (ms - nowMs()) / dayMs);
    },
  );
  gauge(
    { name: 'token_refused', help: '1 when the API refuses the token, 0 when it does not' },
    ['token'],
    (refused) => {
      for (const [token] of soonest(health())) {
        refused.set({ token }, health().tokens.get(token)?.refusal == null ? 0 : 1);
      }
    },
  );
}

/** Registers the numbers of stopped and paused accounts of each enabled stream. */
function registerAccountGauges(registry: Registry, { health }: GaugeSources): void {
  const gauge = createGauges(registry);
  const count = (
    name: string,
    help: string,
    counts: (account: AccountStatus, stream: StreamName) => boolean,
  ): void => {
    gauge({ name, help }, ['stream'], (counted) => {
      const accounts = [...health().accounts.values()];
      for (const stream of Object.keys(health().streams) as StreamName[]) {
        counted.set({ stream }, accounts.filter((account) => counts(account, stream)).length);
      }
    });
  };
  count(
    'accounts_stopped',
    'Accounts of which the stream is not polled until a person has acted',
    isStopped,
  );
  count(
    'accounts_paused',
    'Accounts of which a person has paused the stream',
    ({ paused }, stream) => paused.has(stream),
  );
}

/** Registers the gauges of each enabled stream over all accounts. */
function registerStreamGauges(registry: Registry, { health }: GaugeSources): void {
  const gauge = createGauges(registry);
  gauge(
    { name: 'stream_interval_seconds', help: 'How often the stream is polled of each account' },
    ['stream'],
    (interval) => {
      for (const [stream, { intervalMs }] of Object.entries(health().streams)) {
        interval.set({ stream }, intervalMs / 1000);
      }
    },
  );
  gauge(
    {
      name: 'last_success_timestamp_seconds',
      help: 'When the account that waits longest was last polled with success; 0 for never',
    },
    ['stream'],
    (lastSuccess) => {
      const oldest = oldestOf(health(), ({ succeededAtMs, paused }, stream) =>
        paused.has(stream) ? null : (succeededAtMs[stream] ?? 0),
      );
      for (const [stream, ms] of oldest) lastSuccess.set({ stream }, ms / 1000);
    },
  );
}

/** Registers the gauges of the states of each enabled stream over all accounts. */
function registerStateGauges(registry: Registry, { health, nowMs }: GaugeSources): void {
  const gauge = createGauges(registry);
  gauge(
    {
      name: 'left_out',
      help: 'What is not asked for now because the API refuses it, by error code',
    },
    ['stream', 'reason'],
    (rejections) => {
      for (const stream of Object.keys(health().streams) as StreamName[]) {
        for (const [reason, count] of rejectionsOf(health(), stream, nowMs())) {
          rejections.set({ stream, reason }, count);
        }
      }
    },
  );
  gauge(
    {
      name: 'state_age_seconds',
      help: 'How long ago the oldest state of an account was written; polls without news write none',
    },
    ['stream'],
    (age) => {
      const oldest = oldestOf(health(), ({ streams }, stream) => streams[stream]?.stateMs ?? null);
      for (const [stream, ms] of oldest) age.set({ stream }, Math.max(0, nowMs() - ms) / 1000);
    },
  );
}

/** Registers the size of the largest state of each enabled stream, and its limit. */
function registerStateSizes(registry: Registry, { health }: GaugeSources): void {
  const gauge = createGauges(registry);
  const show = (name: string, help: string, worth: (size: StateSize) => number): void => {
    gauge({ name, help }, ['stream'], (shown) => {
      for (const [stream, size] of largestStates(health())) shown.set({ stream }, worth(size));
    });
  };
  show('state_bytes', 'Size of the largest state of an account', ({ bytes }) => bytes);
  show(
    'state_limit_bytes',
    'The largest state that the topic takes (max.message.bytes)',
    ({ limitBytes }) => limitBytes,
  );
}

function largestStates({ streams, accounts }: ServiceHealth): (readonly [StreamName, StateSize])[] {
  return (Object.keys(streams) as StreamName[]).flatMap((stream) => {
    let largest: StateSize | undefined;
    for (const account of accounts.values()) {
      const size = account.streams[stream]?.stateSize ?? undefined;
      if (size !== undefined && size.bytes > (largest?.bytes ?? 0)) largest = size;
    }
    return largest === undefined ? [] : [[stream, largest] as const];
  });
}

/** The number of rejections in force, by reason. */
function rejectionsOf(
  { accounts }: ServiceHealth,
  stream: StreamName,
  nowMs: number,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { streams } of accounts.values()) {
    for (const refusal of streams[stream]?.refusals ?? []) {
      if (!holds(refusal, nowMs)) continue;
      counts.set(refusal.reason, (counts.get(refusal.reason) ?? 0) + 1);
    }
  }
  return counts;
}

/**
 * The earliest time among the accounts of each enabled stream; streams without a time are missing.
 */
function oldestOf(
  { streams, accounts }: ServiceHealth,
  timeOf: (account: AccountStatus, stream: StreamName) => number | null,
): (readonly [StreamName, number])[] {
  return (Object.keys(streams) as StreamName[]).flatMap((stream) => {
    let oldestMs = Infinity;
    for (const account of accounts.values()) {
      oldestMs = Math.min(oldestMs, timeOf(account, stream) ?? Infinity);
    }
    return oldestMs === Infinity ? [] : [[stream, oldestMs] as const];
  });
}

function isStopped({ stopped, streams }: AccountStatus, stream: StreamName): boolean {
  return (stopped ?? streams[stream]?.trouble)?.disposition.startsWith('stop-') === true;
}

function soonest({ tokens }: ServiceHealth): (readonly [string, number])[] {
  return [...tokens]
    .map(([name, token]) => [name, endOfUse(token) ?? Infinity] as const)
    .sort(([, a], [, b]) => a - b)
    .slice(0, shownTokens);
}
