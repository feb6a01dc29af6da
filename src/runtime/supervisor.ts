import type { Account } from '../core/account.ts';
import type { Streams } from './account-pollers.ts';
import { createAccountPollers, slept } from './account-pollers.ts';
import type { PollerTools } from './poller.ts';
import type { AccountDirectory, Group, StateStore } from './ports.ts';
import { untilReady } from './startup.ts';
import { createTenancies } from './tenancies.ts';

/** What the supervisor runs. */
export interface Supervision extends Streams {
  readonly directory: AccountDirectory;
  readonly group: Group;
  readonly store: StateStore;
  readonly accountsRefreshMs: number;
}

/**
 * Polls for ever, together with the other instances of the group: each (stream, account) of the
 * partitions that are owned on its own interval, accounts added and taken away as the token's list
 * and the group's shares change.
 *
 * @returns after an abort, when every poll in hand has ended and the group was left
 * @throws StopProcessError of any poll or of the group, after the others were ended
 */
export async function supervise(
  supervision: Supervision,
  tools: PollerTools,
  signal: AbortSignal,
): Promise<void> {
  const { group, store } = supervision;
  const fatal = new AbortController();
  const onFatal = (error: unknown): void => {
    fatal.abort(error);
  };
  const all = AbortSignal.any([signal, fatal.signal]);
  let accounts: readonly Account[] = [];
  const pollers = createAccountPollers(supervision, {
    tools,
    partitions: () => group.partitions,
    all,
    onFatal,
  });
  const tenancies = createTenancies({
    store,
    start: { ...tools, deadlineMs: null },
    onChange: () => {
      if (!all.aborted) pollers.settle(accounts, tenancies.held());
    },
    onFatal,
  });
  const leave = new AbortController();
  const joined = group
    .join((owned) => {
      tenancies.own(owned);
    }, leave.signal)
    .catch(onFatal);
  try {
    await keepListing(supervision, tools, {
      signal: all,
      onList: (listed) => {
        accounts = listed;
        pollers.settle(accounts, tenancies.held());
      },
    });
  } finally {
    // The polls first: what is in hand is finished by who began it.
    await pollers.ended();
    await tenancies.end();
    leave.abort();
    await joined;
  }
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

async function keepListing(
  { directory, accountsRefreshMs }: Supervision,
  tools: PollerTools,
  { signal, onList }: { signal: AbortSignal; onList: (accounts: readonly Account[]) => void },
): Promise<void> {
  const first = { name: 'graph', run: (s: AbortSignal) => directory.list(s) } as const;
  onList(await untilReady(first, { ...tools, deadlineMs: null }, signal));
  while (await slept(accountsRefreshMs, { tools, signal })) {
    try {
      onList(await directory.list(signal));
      tools.telemetry.report({ type: 'dependency', name: 'graph', ready: true, reason: '' });
    } catch (error) {
      if (signal.aborted) return;
      // The accounts that are known go on: a list that fails says nothing about them.
      const reason = `listing the accounts failed: ${String(error)}`;
      tools.telemetry.report({ type: 'dependency', name: 'graph', ready: false, reason });
    }
  }
}
