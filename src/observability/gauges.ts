import { Gauge, type Registry } from 'prom-client';
import { isPolled } from '../engine/account.ts';
import { largest, smallest } from '../engine/extremes.ts';
import { accountIntervalMs, pauseOf, type StreamHealth } from '../engine/readiness.ts';
import { holds } from '../engine/rejections.ts';
import type { StreamName } from '../engine/stream-name.ts';
import type { StateSize } from '../engine/ports.ts';
import { type AccountStatus, type ScopeHealth, type ServiceHealth, isStop } from './health.ts';
import { endOfUse } from './token-health.ts';

/** The prefix of this program's metrics. */
export const prefix = 'instagram_kafka_';

export interface GaugeSources {
  readonly health: () => ServiceHealth;
  readonly nowMs: () => number;
  readonly version: string;
}

interface Scrape extends ServiceHealth {
  readonly nowMs: number;
  readonly version: string;
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

interface GaugeRow {
  readonly help: string;
  readonly labels: readonly string[];
  readonly samples: (scrape: Scrape) => readonly Sample[];
}

/** A gauge without labels. */
function single(help: string, value: (scrape: Scrape) => number): GaugeRow {
  return { help, labels: [], samples: (scrape) => [[{}, value(scrape)]] };
}

/** One enabled stream over all accounts that have it. */
interface StreamScrape {
  readonly stream: StreamName;
  readonly health: StreamHealth;
  readonly accounts: readonly AccountStatus[];
  readonly nowMs: number;
}

/** A gauge of each enabled stream; a stream whose value is null has no sample. */
function perStream(help: string, value: (scrape: StreamScrape) => number | null): GaugeRow {
  return {
    help,
    labels: ['stream'],
    samples: (scrape) =>
      streamScrapes(scrape).flatMap((one): Sample[] => {
        const sample = value(one);
        return sample === null ? [] : [[{ stream: one.stream }, sample]];
      }),
  };
}

function streamScrapes({ streams, accounts, nowMs }: Scrape): readonly StreamScrape[] {
  const all = [...accounts.values()];
  return Object.entries(streams).map(([stream, health]) => {
    return { stream, health, accounts: all.filter((one) => isPolled(one, stream)), nowMs };
  });
}

/** The tokens with a series of their own, at most: those that expire first. */
const shownTokens = 50;

function perToken(
  help: string,
  value: (endMs: number, isRejected: boolean, nowMs: number) => number,
): GaugeRow {
  return {
    help,
    labels: ['token'],
    samples: ({ tokens, nowMs }) =>
      [...tokens]
        .map(([name, token]) => ({ name, token, endMs: endOfUse(token) ?? Infinity }))
        .sort((a, b) => a.endMs - b.endMs)
        .slice(0, shownTokens)
        .map(({ name, token, endMs }) => [
          { token: name },
          value(endMs, token.rejection !== null, nowMs),
        ]),
  };
}

const dayMs = 86_400_000;
const scopeKinds: readonly ScopeHealth['scope']['kind'][] = [
  'app',
  'user',
  'account',
  'page',
  'platform',
];

/** The gauges by name. Every label has few values; no label is an account. */
const gauges: Readonly<Record<string, GaugeRow>> = {
  accounts: single('Accounts being polled', ({ accounts }) => accounts.size),
  partitions_owned: single(
    'Partitions of the state topic that this instance owns',
    ({ partitions }) => partitions.length,
  ),
  partitions: single('Partitions of the state topic', ({ partitionCount }) => partitionCount),
  dependency_up: {
    help: '1 when the dependency can be used, 0 when not',
    labels: ['name'],
    samples: ({ dependencies }) =>
      Object.entries(dependencies).map(([name, { ready }]) => [{ name }, Number(ready)]),
  },
  build_info: {
    help: 'Always 1; what runs is in the labels',
    labels: ['version', 'node_version'],
    samples: ({ version }) => [[{ version, node_version: process.versions.node }, 1]],
  },
  token_expiry_timestamp_seconds: perToken(
    'When the token expires, or since when the API rejects it; +Inf for never',
    (endMs) => endMs / 1000,
  ),
  token_expiry_days: perToken(
    'Days until the token expires; +Inf for never',
    (endMs, _isRejected, nowMs) => (endMs - nowMs) / dayMs,
  ),
  token_refused: perToken(
    '1 when the API rejects the token, 0 when it does not',
    (_endMs, isRejected) => Number(isRejected),
  ),
  graph_api_version_end_timestamp_seconds: {
    help: 'When Meta ends the configured version of the Graph API; absent when no end is known',
    labels: ['version'],
    samples: ({ apiVersion }) =>
      apiVersion?.endsAtMs == null
        ? []
        : [[{ version: apiVersion.version }, apiVersion.endsAtMs / 1000]],
  },
  api_form_rejected: {
    help: '1 for a form of request that the API rejects, 0 for one that it takes; as last tried',
    labels: ['stream', 'form'],
    samples: ({ forms }) =>
      forms
        .filter(({ outcome }) => outcome !== 'unknown')
        .map(({ stream, endpoint, outcome }) => [
          { stream: stream ?? 'all', form: endpoint },
          Number(outcome === 'rejected'),
        ]),
  },
  accounts_stopped: perStream(
    'Accounts of which the stream is not polled until a person has acted',
    ({ accounts, stream }) =>
      accounts.filter(({ stopped, streams }) => isStop(stopped ?? streams[stream]?.error)).length,
  ),
  accounts_paused: perStream(
    'Accounts of which a person has paused the stream',
    ({ accounts, stream, nowMs }) =>
      accounts.filter(({ paused }) => pauseOf(paused, stream, nowMs) !== null).length,
  ),
  stream_interval_seconds: perStream(
    'How often the stream is polled of each account; the longest interval, where accounts have their own',
    ({ accounts, stream, health }) =>
      largest(
        accounts.map((one) => accountIntervalMs(one, stream, health)),
        accounts.length === 0 ? health.intervalMs : 0,
      ) / 1000,
  ),
  last_success_timestamp_seconds: perStream(
    'When the account that waits longest was last polled with success; 0 for never',
    ({ accounts, stream, nowMs }) => {
      const polled = accounts.filter(({ paused }) => pauseOf(paused, stream, nowMs) === null);
      if (polled.length === 0) return null;
      return smallest(polled.map(({ succeededAtMs }) => succeededAtMs[stream] ?? 0)) / 1000;
    },
  ),
  left_out: {
    help: 'Media, metrics and children that are excluded because the API rejects them, by error code',
    labels: ['stream', 'reason'],
    samples: (scrape) =>
      streamScrapes(scrape).flatMap((one) =>
        [...rejectionsOf(one)].map(([reason, count]): Sample => {
          return [{ stream: one.stream, reason }, count];
        }),
      ),
  },
  state_age_seconds: perStream(
    'How long ago the oldest state of an account was written; polls without news write none',
    ({ accounts, stream, nowMs }) => {
      const oldestMs = smallest(
        accounts.map(({ streams }) => streams[stream]?.stateMs ?? Infinity),
      );
      return oldestMs === Infinity ? null : Math.max(0, nowMs - oldestMs) / 1000;
    },
  ),
  state_bytes: perStream(
    'Size of the largest state of an account',
    (scrape) => largestState(scrape)?.bytes ?? null,
  ),
  state_limit_bytes: perStream(
    'The largest state that the topic takes (max.message.bytes)',
    (scrape) => largestState(scrape)?.limitBytes ?? null,
  ),
  usage_ratio: {
    help: 'Quota in use by the scope that has used most of its own, 1 being all, to 0.05',
    labels: ['scope_kind'],
    samples: (scrape) =>
      scopeKinds.map((kind) => {
        const ratios = scopesOf(scrape, kind).map(({ percent }) => percent / 100);
        return [{ scope_kind: kind }, largest(ratios, 0)];
      }),
  },
  scopes_limited: {
    help: 'Scopes of the quota that are slowed or stopped',
    labels: ['scope_kind', 'state'],
    samples: (scrape) =>
      scopeKinds.flatMap((kind) =>
        (['slowed', 'stopped'] as const).map((state): Sample => {
          // A stop ends at its time even without a further request.
          const limited = scopesOf(scrape, kind).filter(
            (scope) =>
              scope.state === state && (scope.untilMs === null || scope.untilMs > scrape.nowMs),
          );
          return [{ scope_kind: kind, state }, limited.length];
        }),
      ),
  },
};

export function registerGauges(registry: Registry, sources: GaugeSources): void {
  const { health, nowMs, version } = sources;
  for (const [name, { help, labels, samples }] of Object.entries(gauges)) {
    const gauge = new Gauge({
      name: `${prefix}${name}`,
      help,
      labelNames: labels,
      registers: [registry],
      collect: () => {
        gauge.reset();
        for (const [labelled, value] of samples({ ...health(), nowMs: nowMs(), version })) {
          gauge.set(labelled, value);
        }
      },
    });
  }
}

function rejectionsOf({ accounts, stream, nowMs }: StreamScrape): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { streams } of accounts) {
    for (const rejection of streams[stream]?.rejections ?? []) {
      if (!holds(rejection, nowMs)) continue;
      counts.set(rejection.reason, (counts.get(rejection.reason) ?? 0) + 1);
    }
  }
  return counts;
}

function largestState({ accounts, stream }: StreamScrape): StateSize | null {
  let found: StateSize | null = null;
  for (const { streams } of accounts) {
    const size = streams[stream]?.stateSize ?? null;
    if (size !== null && size.bytes > (found?.bytes ?? 0)) found = size;
  }
  return found;
}

function scopesOf({ scopes }: Scrape, kind: ScopeHealth['scope']['kind']): readonly ScopeHealth[] {
  return [...scopes.values()].filter(({ scope }) => scope.kind === kind);
}
