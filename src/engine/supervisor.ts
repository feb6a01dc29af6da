import type { Account } from './account.ts';
import { type Streams, AccountPollers } from './account-pollers.ts';
import { ActivePartitions } from './active-partitions.ts';
import { slept } from './clock.ts';
import { type ControlHandler, createControls } from './control-handler.ts';
import { messageOf } from './errors.ts';
import type { PollerTools } from './poller.ts';
import type { AccountDirectory, AccountListing, Group, StateStore } from './ports.ts';
import type { ShutdownBudget } from './shutdown-budget.ts';
import { settled } from './shutdown.ts';
import { untilReady } from './startup.ts';

/** The parts that the supervisor runs, and their settings. */
export interface Supervision extends Streams {
  readonly directory: AccountDirectory;
  readonly group: Group;
  readonly store: StateStore;
  readonly accountsRefreshMs: number;
  /** Runs beside the polls until aborted; `account` returns one that is polled now. */
  readonly watch: (account: () => Account | undefined, signal: AbortSignal) => Promise<void>;
  /** The receiver of control requests. */
  readonly controlHandler: ControlHandler;
  readonly shutdown: ShutdownBudget;
}

/**
 * Polls until aborted, together with the other instances of the group: each (stream, account) of
 * the active partitions on its own interval.
 * @returns after an abort, when every running poll has ended and the instance has left the group
 * @throws StopProcessError of any poll or of the group, after the other polls have ended
 */
export async function supervise(
  supervision: Supervision,
  tools: PollerTools,
  signal: AbortSignal,
): Promise<void> {
  const { group, store, shutdown } = supervision;
  const fatal = new AbortController();
  const onFatal = (error: unknown): void => {
    fatal.abort(error);
  };
  const all = AbortSignal.any([signal, fatal.signal]);
  let accounts: readonly Account[] = [];
  const partitions = () => group.partitions;
  const pollers = new AccountPollers(supervision, { tools, partitions, all, onFatal });
  const reconcile = (): void => {
    if (!all.aborted) pollers.reconcile(accounts, active.active());
  };
  const start = { ...tools, deadlineMs: null };
  const active = new ActivePartitions({ store, start, onChange: reconcile, onFatal });
  const listed = () => accounts;
  const parts = { ...supervision, clock: tools.clock, pollers, accounts: listed, reconcile };
  using open = new DisposableStack();
  open.use(supervision.controlHandler.open(createControls({ ...parts, signal: all })));
  const leave = new AbortController();
  const onAssignment = (owned: readonly number[]): void => {
    active.assign(owned);
  };
  const joined = group.join(onAssignment, leave.signal).catch(onFatal);
  const watching = supervision.watch(() => pollers.anyActive(), all).catch(onFatal);
  try {
    await keepListing(supervision, tools, all, (listed, isRenewed) => {
      accounts = listed;
      if (isRenewed) pollers.restartHalted();
      pollers.reconcile(accounts, active.active());
    });
  } finally {
    // The polls end first: each running poll is finished by the instance that began it.
    await settled(pollers.ended(), shutdown.leftMs('polls'));
    if (all.aborted) await settled(watching, shutdown.leftMs('polls'));
    await settled(active.end(), shutdown.leftMs('partitions'));
    leave.abort();
    await joined;
  }
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

/**
 * Lists the accounts at the start, at each interval and after a renewal of tokens; until aborted.
 */
async function keepListing(
  { directory, accountsRefreshMs }: Supervision,
  tools: PollerTools,
  signal: AbortSignal,
  onList: (accounts: readonly Account[], isRenewed: boolean) => void,
): Promise<void> {
  const report = (ready: boolean, reason: string): void => {
    tools.telemetry.report({ type: 'dependency', name: 'graph', ready, reason });
  };
  const reportIssues = ({ problems, warnings }: AccountListing): void => {
    report(problems.length === 0, [...problems, ...warnings].join('; '));
  };
  const list = () => directory.list(signal);
  const listing = await untilReady('graph', list, { ...tools, deadlineMs: null }, signal);
  onList(listing.accounts, false);
  if (listing.problems.length + listing.warnings.length > 0) reportIssues(listing);
  for (;;) {
    const trigger = await untilDue(directory, accountsRefreshMs, tools, signal);
    if (trigger === 'aborted') return;
    try {
      const listed = await list();
      onList(listed.accounts, trigger === 'renewed');
      reportIssues(listed);
    } catch (error) {
      if (signal.aborted) return;
      // The known accounts are still polled: a failed listing proves nothing about them.
      report(false, `listing the accounts failed: ${messageOf(error)}`);
    }
  }
}

/** Waits until the list is due, or tokens were renewed. */
async function untilDue(
  directory: AccountDirectory,
  afterMs: number,
  { clock }: PollerTools,
  signal: AbortSignal,
): Promise<'due' | 'renewed' | 'aborted'> {
  const stopWaiting = new AbortController();
  const waitSignal = AbortSignal.any([signal, stopWaiting.signal]);
  try {
    return await Promise.race([
      directory.renewed(waitSignal).then(
        () => 'renewed' as const,
        () => 'aborted' as const,
      ),
      slept(afterMs, clock, waitSignal).then((isDue) => (isDue ? 'due' : 'aborted')),
    ]);
  } finally {
    stopWaiting.abort();
  }
}
