import type { Account } from './account.ts';
import { messageOf } from './errors.ts';
import type { ShutdownBudget } from './shutdown-budget.ts';
import { type Streams, createAccountPollers } from './account-pollers.ts';
import { slept } from './clock.ts';
import { type ControlHandler, createControls } from './control-handler.ts';
import type { PollerTools } from './poller.ts';
import type {
  AccountDirectory,
  AccountListing,
  Group,
  StateStore,
  TelemetryEvent,
} from './ports.ts';
import { settled } from './shutdown.ts';
import { untilReady } from './startup.ts';
import { type AssignedPartitions, createAssignedPartitions } from './assigned-partitions.ts';

/** The parts that the supervisor runs, and their settings. */
export interface Supervision extends Streams {
  readonly directory: AccountDirectory;
  readonly group: Group;
  readonly store: StateStore;
  readonly accountsRefreshMs: number;
  /**
   * Runs beside the polls until aborted; `account` returns one that is polled now, or undefined.
   */
  readonly watch: (account: () => Account | undefined, signal: AbortSignal) => Promise<void>;
  /** The receiver of control requests. */
  readonly controlHandler: ControlHandler;
  readonly shutdown: ShutdownBudget;
}

/**
 * Polls until aborted, together with the other instances of the group: each (stream, account) of
 * the assigned partitions on its own interval. Accounts are added and removed as the token's list
 * and the assignment change.
 *
 * @returns after an abort, when every running poll has ended and the instance has left the group
 * @throws StopProcessError of any poll or of the group, after the other polls have ended
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
  const partitions = () => group.partitions;
  const pollers = createAccountPollers(supervision, { tools, partitions, all, onFatal });
  const assignedPartitions = createAssignedPartitions({
    store,
    start: { ...tools, deadlineMs: null },
    onChange: () => {
      reconcile();
    },
    onFatal,
  });
  const reconcile = (): void => {
    if (!all.aborted) pollers.reconcile(accounts, assignedPartitions.held());
  };
  const controls = { settings: supervision, pollers, group, accounts: () => accounts, reconcile };
  using open = new DisposableStack();
  open.use(supervision.controlHandler.open(createControls({ ...controls, signal: all })));
  const leave = joinGroup(group, assignedPartitions, onFatal);
  const watching = supervision.watch(() => pollers.any(), all).catch(onFatal);
  try {
    await keepListing(supervision, tools, {
      signal: all,
      onList: (listed, isRenewed) => {
        accounts = listed;
        if (isRenewed) pollers.restartHalted();
        pollers.reconcile(accounts, assignedPartitions.held());
      },
    });
  } finally {
    const { shutdown } = supervision;
    // The polls end first: each running poll is finished by the instance that began it.
    await settled(pollers.ended(), shutdown.leftMs('polls'));
    if (all.aborted) await settled(watching, shutdown.leftMs('polls'));
    await settled(assignedPartitions.end(), shutdown.leftMs('partitions'));
    await leave();
  }
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

/** @returns a function that leaves the group */
function joinGroup(
  group: Group,
  assignedPartitions: AssignedPartitions,
  onFatal: (error: unknown) => void,
): () => Promise<void> {
  const leave = new AbortController();
  const joined = group
    .join((owned) => {
      assignedPartitions.assign(owned);
    }, leave.signal)
    .catch(onFatal);
  return async () => {
    leave.abort();
    await joined;
  };
}

interface ListingLoop {
  readonly signal: AbortSignal;
  /** @param isRenewed - true when tokens were renewed, so that stopped accounts may start again */
  readonly onList: (accounts: readonly Account[], isRenewed: boolean) => void;
}

/** Derives the API's readiness from a listing. */
function healthOf({ problems, warnings }: AccountListing): TelemetryEvent {
  const reason = [...problems, ...warnings].join('; ');
  return { type: 'dependency', name: 'graph', ready: problems.length === 0, reason };
}

/** Waits until the list is due, or tokens were renewed. */
async function untilDue(
  directory: AccountDirectory,
  afterMs: number,
  { tools, signal }: { readonly tools: PollerTools; readonly signal: AbortSignal },
): Promise<'due' | 'renewed' | 'aborted'> {
  const stopWaiting = new AbortController();
  const waitSignal = AbortSignal.any([signal, stopWaiting.signal]);
  const renewed = directory.renewed(waitSignal).then(
    () => 'renewed' as const,
    () => 'aborted' as const,
  );
  const due = slept(afterMs, tools.clock, waitSignal).then((isDue) =>
    isDue ? ('due' as const) : ('aborted' as const),
  );
  try {
    return await Promise.race([renewed, due]);
  } finally {
    stopWaiting.abort();
  }
}

async function keepListing(
  { directory, accountsRefreshMs }: Supervision,
  tools: PollerTools,
  { signal, onList }: ListingLoop,
): Promise<void> {
  const first = { name: 'graph', run: (s: AbortSignal) => directory.list(s) } as const;
  const listing = await untilReady(first, { ...tools, deadlineMs: null }, signal);
  onList(listing.accounts, false);
  if (listing.problems.length + listing.warnings.length > 0) {
    tools.telemetry.report(healthOf(listing));
  }
  for (;;) {
    const trigger = await untilDue(directory, accountsRefreshMs, { tools, signal });
    if (trigger === 'aborted') return;
    try {
      const listed = await directory.list(signal);
      onList(listed.accounts, trigger === 'renewed');
      tools.telemetry.report(healthOf(listed));
    } catch (error) {
      if (signal.aborted) return;
      // The known accounts are still polled: a failed listing proves nothing about them.
      const reason = `listing the accounts failed: ${messageOf(error)}`;
      tools.telemetry.report({ type: 'dependency', name: 'graph', ready: false, reason });
    }
  }
}
