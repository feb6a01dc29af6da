import { type Account, isPolled } from './account.ts';
import type { AccountPollers, PolledStream, Streams } from './account-pollers.ts';
import { endsWithin } from './clock.ts';
import { partitionOf } from './partition.ts';
import type {
  Clock,
  ControlAction,
  ControlAnswer,
  ControlRequest,
  Controls,
  Elsewhere,
  Group,
} from './ports.ts';

/** The control handler: passes control requests to the supervisor, and rejects them without one. */
export interface ControlHandler extends Controls {
  /** Passes control requests to `controls` until disposed. */
  open(controls: Controls): Disposable;
}

export function createControlHandler(): ControlHandler {
  let current: Controls | undefined;
  return {
    open(controls) {
      current = controls;
      return {
        [Symbol.dispose]() {
          current = undefined;
        },
      };
    },
    execute: (request) =>
      current?.execute(request) ??
      Promise.resolve({
        kind: 'unready',
        reason:
          'not accepting control requests: the program is starting up or shutting down (see /readyz)',
      }),
  };
}

/** The dependencies that control requests are checked against and carried out with. */
export interface ControlTools extends Pick<Streams, 'streams'> {
  readonly pollers: AccountPollers;
  readonly group: Group;
  readonly clock: Clock;
  /** All accounts of the tokens, as last listed. */
  readonly accounts: () => readonly Account[];
  /** Starts and stops pollers, so that an account that was ended starts again. */
  readonly reconcile: () => void;
  readonly signal: AbortSignal;
}

/** The time that an answer waits for the state topic to have its pauses. */
const saveWaitMs = 3000;

/** Creates the controls: they carry a control request out, or answer with the reason against it. */
export function createControls(tools: ControlTools): Controls {
  return {
    async execute(request) {
      const reason = unknownIn(request, tools);
      if (reason !== undefined) return { kind: 'unknown', reason };
      const { here, others } = await select(request, tools);
      const owners = others.length === 0 ? [] : await ownersOf(others, tools);
      if (request.accountId !== null && others.length > 0) return elsewhere(owners, request, tools);
      const conflict = conflictOf(here, request.action);
      if (conflict !== undefined) return { kind: 'conflict', reason: conflict };
      return { kind: 'accepted', ...(await carryOut(here, request, tools)), elsewhere: owners };
    },
  };
}

/** Returns the reason why a request's stream or account is unknown; undefined when both are known. */
function unknownIn(
  { stream, accountId }: ControlRequest,
  { streams, accounts }: ControlTools,
): string | undefined {
  const names = streams.map((entry) => entry.stream.name);
  if (stream !== null && !names.includes(stream)) {
    return `no such stream is enabled; there are: ${names.join(', ')}`;
  }
  if (accountId === null) return undefined;
  const account = accounts().find(({ id }) => id === accountId);
  if (account === undefined) return 'no token reaches an account of this id, or it is excluded';
  if (stream === null || isPolled(account, stream)) return undefined;
  return `the account does not have the stream; it has: ${account.polling?.streams.join(', ')}`;
}

/** Selects the polled streams that a request concerns, and its accounts that are not polled here. */
async function select(request: ControlRequest, { accounts, pollers }: ControlTools) {
  const { stream, accountId } = request;
  const concerned = accounts().filter(({ id }) => id === (accountId ?? id));
  const selected = await Promise.all(concerned.map(({ id }) => pollers.streamsOf(id, stream)));
  const others = concerned.filter((_, index) => selected[index] === undefined);
  return { here: selected.flatMap((streams) => streams ?? []), others };
}

/** The streams on which each action has an effect, and the reason against it for the others. */
const effective: Readonly<Record<ControlAction, readonly PolledStream['status'][]>> = {
  poll: ['polled'],
  pause: ['polled', 'paused', 'stopped'],
  resume: ['polled', 'paused', 'stopped', 'unreadable'],
};

const conflicts: Readonly<Record<PolledStream['status'], string>> = {
  polled: '',
  paused: 'it is paused; request "resume" first',
  stopped: 'an error has stopped it; fix that, then request "resume"',
  unreadable: 'its state cannot be read (see /status); fix that, then request "resume"',
};

/** Returns the reason against a request that would have no effect on any of its streams. */
function conflictOf(streams: readonly PolledStream[], action: ControlAction): string | undefined {
  const [first, ...others] = streams.map(({ status }) => status);
  if (first === undefined || streams.some((one) => isEffective(one, action))) return undefined;
  if (others.every((status) => status === first)) return conflicts[first];
  return 'all of them are paused, or stopped by an error; request "resume" first';
}

function isEffective({ status }: PolledStream, action: ControlAction): boolean {
  return effective[action].includes(status);
}

/** Carries a request out; returns the number of its streams, and whether their pauses are saved. */
async function carryOut(
  streams: readonly PolledStream[],
  request: ControlRequest,
  tools: ControlTools,
): Promise<{ readonly count: number; readonly saved: boolean | null }> {
  const { action, untilMs } = request;
  const concerned = streams.filter((one) => isEffective(one, action));
  const count = concerned.length;
  if (action === 'poll') {
    for (const one of concerned) one.poll();
    return { count, saved: null };
  }
  const changed = action === 'resume' ? await restarted(concerned, request, tools) : concerned;
  const saves = changed.map((one) => (action === 'pause' ? one.pause(untilMs) : one.resume()));
  return { count, saved: await areSaved(saves, tools) };
}

/** Restarts the accounts whose streams an error has stopped; returns the request's streams. */
async function restarted(
  streams: readonly PolledStream[],
  request: ControlRequest,
  tools: ControlTools,
): Promise<readonly PolledStream[]> {
  const isStopped = ({ status }: PolledStream) => status === 'stopped' || status === 'unreadable';
  const stopped = new Set(streams.filter(isStopped).map(({ accountId }) => accountId));
  if (stopped.size === 0) return streams;
  for (const accountId of stopped) tools.pollers.restartHalted(accountId);
  tools.reconcile();
  return (await select(request, tools)).here;
}

/** Returns true when all saves end well in time; the others continue. */
async function areSaved(
  saves: readonly Promise<boolean>[],
  { clock, signal }: ControlTools,
): Promise<boolean> {
  const all = Promise.all(saves);
  const isInTime = await endsWithin(all, saveWaitMs, clock, signal).catch(() => false);
  return isInTime && (await all).every(Boolean);
}

/** Counts accounts by the instance that polls them; null when the group does not answer. */
async function ownersOf(
  accounts: readonly Account[],
  { group, signal }: ControlTools,
): Promise<readonly Elsewhere[]> {
  const owners = await group.owners(signal).catch(() => new Map<number, string>());
  const byOwner = Map.groupBy(
    accounts,
    ({ id }) => owners.get(partitionOf(id, group.partitions)) ?? null,
  );
  return [...byOwner].map(([owner, { length }]) => ({ owner, accounts: length }));
}

function elsewhere(
  [owned]: readonly Elsewhere[],
  { accountId }: ControlRequest,
  { group }: ControlTools,
): ControlAnswer {
  const partition = partitionOf(accountId ?? '', group.partitions);
  const reason = `partition ${partition}, which has the account, is not assigned to this instance`;
  return { kind: 'elsewhere', reason, owner: owned?.owner ?? null };
}
