import type { Account } from './account.ts';
import { messageOf } from './errors.ts';
import type { ShutdownBudget } from './shutdown-budget.ts';
import { type Streams, createAccountPollers, slept } from './account-pollers.ts';
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

/** What the supervisor runs. */
export interface Supervision extends Streams {
  readonly directory: AccountDirectory;
  readonly group: Group;
  readonly store: StateStore;
  readonly accountsRefreshMs: number;
  /** Runs beside the polls until aborted; gets an account that is polled now, or undefined. */
  readonly watch: (account: () => Account | undefined, signal: AbortSignal) => Promise<void>;
  /** Where orders come in. */
  readonly controlHandler: ControlHandler;
  readonly shutdown: ShutdownBudget;
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
  const partitions = () => group.partitions;
  const pollers = createAccountPollers(supervision, { tools, partitions, all, onFatal });
  const assignedPartitions = createAssignedPartitions({
    store,
    start: { ...tools, deadlineMs: null },
    onChange: () => {
      settle();
    },
    onFatal,
  });
  const settle = (): void => {
    if (!all.aborted) pollers.settle(accounts, assignedPartitions.held());
  };
  const controls = { what: supervision, pollers, group, accounts: () => accounts, settle };
  using open = new DisposableStack();
  open.use(supervision.controlHandler.open(createControls({ ...controls, signal: all })));
  const leave = joinGroup(group, assignedPartitions, onFatal);
  const watching = supervision.watch(() => pollers.any(), all).catch(onFatal);
  try {
    await keepListing(supervision, tools, {
      signal: all,
      onList: (listed, isRenewed) => {
        accounts = listed;
        if (isRenewed) pollers.revive();
        pollers.settle(accounts, assignedPartitions.held());
      },
    });
  } finally {
    const { shutdown } = supervision;
    // The polls first: what is in hand is finished by who began it.
    await settled(pollers.ended(), shutdown.leftMs('polls'));
    if (all.aborted) await settled(watching, shutdown.leftMs('polls'));
    await settled(assignedPartitions.end(), shutdown.leftMs('partitions'));
    await leave();
  }
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

/** @returns leaves the group */
function joinGroup(
  group: Group,
  assignedPartitions: AssignedPartitions,
  onFatal: (error: unknown) => void,
): () => Promise<void> {
  const leave = new AbortController();
  const joined = group
    .join((owned) => {
      assignedPartitions.own(owned);
    }, leave.signal)
    .catch(onFatal);
  return async () => {
    leave.abort();
    await joined;
  };
}

interface Listening {
  readonly signal: AbortSignal;
  /** @param isRenewed - whether tokens were renewed, with which what was stopped may go on */
  readonly onList: (accounts: readonly Account[], isRenewed: boolean) => void;
}

/** What a listing says of the API's readiness. */
function healthOf({ problems, warnings }: AccountListing): TelemetryEvent {
  const reason = [...problems, ...warnings].join('; ');
  return { type: 'dependency', name: 'graph', ready: problems.length === 0, reason };
}

/** Waits until the list is due, or tokens were renewed. */
async function untilListed(
  directory: AccountDirectory,
  afterMs: number,
  { tools, signal }: { readonly tools: PollerTools; readonly signal: AbortSignal },
): Promise<'due' | 'renewed' | 'aborted'> {
  const enough = new AbortController();
  const waiting = AbortSignal.any([signal, enough.signal]);
  const renewed = directory.renewed(waiting).then(
    () => 'renewed' as const,
    () => 'aborted' as const,
  );
  const due = slept(afterMs, { tools, signal: waiting }).then((isDue) =>
    isDue ? ('due' as const) : ('aborted' as const),
  );
  try {
    return await Promise.race([renewed, due]);
  } finally {
    enough.abort();
  }
}

async function keepListing(
  { directory, accountsRefreshMs }: Supervision,
  tools: PollerTools,
  { signal, onList }: Listening,
): Promise<void> {
  const first = { name: 'graph', run: (s: AbortSignal) => directory.list(s) } as const;
  const listing = await untilReady(first, { ...tools, deadlineMs: null }, signal);
  onList(listing.accounts, false);
  if (listing.problems.length + listing.warnings.length > 0) {
    tools.telemetry.report(healthOf(listing));
  }
  for (;;) {
    const why = await untilListed(directory, accountsRefreshMs, { tools, signal });
    if (why === 'aborted') return;
    try {
      const listed = await directory.list(signal);
      onList(listed.accounts, why === 'renewed');
      tools.telemetry.report(healthOf(listed));
    } catch (error) {
      if (signal.aborted) return;
      // The accounts that are known go on: a list that fails says nothing about them.
      const reason = `listing the accounts failed: ${messageOf(error)}`;
      tools.telemetry.report({ type: 'dependency', name: 'graph', ready: false, reason });
    }
  }
}
