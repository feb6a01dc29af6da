import type { Account } from '../core/account.ts';
import { stateKey } from '../core/state.ts';
import type { Stream } from '../core/stream.ts';
import type { StartedJob } from './jobs.ts';
import { startJob } from './jobs.ts';
import type { Job, PollerTools, Verdict } from './poller.ts';
import { failed } from './poller.ts';
import type { AccountDirectory, Restored } from './ports.ts';
import { groupByList, pollRound } from './rounds.ts';
import { untilReady } from './startup.ts';
import { createTimetable } from './timetable.ts';

/** What the supervisor runs. */
export interface Supervision {
  readonly streams: readonly { readonly stream: Stream; readonly intervalMs: number }[];
  readonly directory: AccountDirectory;
  readonly restored: ReadonlyMap<string, Restored>;
  readonly accountsRefreshMs: number;
  /** Share of the interval, 0 to 0.5. */
  readonly jitter: number;
}

/** How a poll of `once` ended. */
export interface Ending {
  readonly job: Job;
  readonly verdict: Verdict;
}

/**
 * Polls every stream of every account once.
 *
 * @returns how each ended; a failure of one is no failure of another (Invariant 8)
 * @throws StopProcessError of any poll and the signal's reason, after the others were ended
 */
export async function superviseOnce(
  supervision: Supervision,
  tools: PollerTools,
  signal: AbortSignal,
): Promise<readonly Ending[]> {
  const accounts = await supervision.directory.list(signal);
  tools.telemetry.report({ type: 'accounts', added: accounts, removed: [] });
  tools.profiles.know(accounts);
  const fatal = new AbortController();
  const all = AbortSignal.any([signal, fatal.signal]);
  const endings = await Promise.all(
    accounts.flatMap((account) =>
      groupByList(supervision.streams).map((group) => {
        const started = group.map(({ stream }) => startJob(stream, account, supervision.restored));
        return pollGroupOnce(started, tools, all).catch((error: unknown) => {
          fatal.abort(error);
          return [];
        });
      }),
    ),
  );
  if (fatal.signal.aborted) throw fatal.signal.reason;
  const order = supervision.streams.map(({ stream }) => stream.name);
  return endings
    .flat()
    .toSorted((a, b) => order.indexOf(a.job.stream.name) - order.indexOf(b.job.stream.name));
}

async function pollGroupOnce(
  group: readonly StartedJob[],
  tools: PollerTools,
  signal: AbortSignal,
): Promise<readonly Ending[]> {
  const jobs = runnable(group, tools);
  const verdicts = await pollRound(jobs, tools, { nextPollMs: () => null, signal });
  return [
    ...group.flatMap(({ job, error }): Ending[] =>
      error === undefined ? [] : [{ job, verdict: { kind: 'stop-stream', error } }],
    ),
    ...jobs.flatMap((job, index): Ending[] => {
      const verdict = verdicts[index];
      return verdict === undefined ? [] : [{ job, verdict }];
    }),
  ];
}

/** The jobs that may begin; why the others may not is reported. */
function runnable(group: readonly StartedJob[], { telemetry }: PollerTools): readonly Job[] {
  return group.flatMap(({ job, error }) => {
    if (error !== undefined) telemetry.report(failed(error, job, null));
    return error === undefined ? [job] : [];
  });
}

/**
 * Polls for ever: each (stream, account) on its own interval, accounts added and taken away as the
 * token's list changes.
 *
 * @returns after an abort, when every poll in hand has ended
 * @throws StopProcessError of any poll, after the others were ended
 */
export async function supervise(
  supervision: Supervision,
  tools: PollerTools,
  signal: AbortSignal,
): Promise<void> {
  const fatal = new AbortController();
  const all = AbortSignal.any([signal, fatal.signal]);
  const known = new Map(supervision.restored);
  const running = new Map<
    string,
    { account: Account; stop: AbortController; done: Promise<void> }
  >();
  /** The polls that accounts had in hand when they left; who comes back waits for them. */
  const leaving = new Map<string, Promise<void>>();
  const start = (account: Account) => {
    const stop = new AbortController();
    const work = { tools, stop, all, fatal, known };
    const before = leaving.get(account.id) ?? Promise.resolve();
    const done = before.then(() => pollAccount(account, supervision, work));
    running.set(account.id, { account, stop, done });
  };
  const refresh = (accounts: readonly Account[]) => {
    tools.profiles.know(accounts);
    const ids = new Set(accounts.map(({ id }) => id));
    const added = accounts.filter(({ id }) => !running.has(id));
    const removed = [...running.values()].filter(({ account }) => !ids.has(account.id));
    for (const { account, stop, done } of removed) {
      stop.abort();
      leaving.set(account.id, done);
      running.delete(account.id);
    }
    added.forEach(start);
    if (added.length + removed.length === 0) return;
    tools.telemetry.report({
      type: 'accounts',
      added,
      removed: removed.map(({ account }) => account),
    });
  };
  const first = { name: 'graph', run: (s: AbortSignal) => supervision.directory.list(s) } as const;
  refresh(await untilReady(first, { ...tools, deadlineMs: null }, all));
  await keepListing(refresh, supervision, { tools, all });
  await Promise.all([...leaving.values(), ...[...running.values()].map(({ done }) => done)]);
  if (fatal.signal.aborted) throw fatal.signal.reason;
}

async function keepListing(
  refresh: (accounts: readonly Account[]) => void,
  supervision: Supervision,
  { tools, all }: { tools: PollerTools; all: AbortSignal },
): Promise<void> {
  while (await slept(supervision.accountsRefreshMs, { tools, signal: all })) {
    try {
      refresh(await supervision.directory.list(all));
      tools.telemetry.report({ type: 'dependency', name: 'graph', ready: true, reason: '' });
    } catch (error) {
      if (all.aborted) return;
      // The accounts that are known go on: a list that fails says nothing about them.
      const reason = `listing the accounts failed: ${String(error)}`;
      tools.telemetry.report({ type: 'dependency', name: 'graph', ready: false, reason });
    }
  }
}

interface AccountWork {
  readonly tools: PollerTools;
  readonly stop: AbortController;
  readonly all: AbortSignal;
  /** Aborted with what ends the process. */
  readonly fatal: AbortController;
  /** The last state of each (stream, account); outlives an account that leaves and comes back. */
  readonly known: Map<string, Restored>;
}

async function pollAccount(
  account: Account,
  supervision: Supervision,
  work: AccountWork,
): Promise<void> {
  const signal = AbortSignal.any([work.stop.signal, work.all]);
  await Promise.all(
    groupByList(supervision.streams).map((group) => {
      const started = group.map(({ stream }) => startJob(stream, account, work.known));
      const jobs = runnable(started, work.tools);
      return pollForEver(jobs, supervision, { ...work, signal }).catch((error: unknown) => {
        work.fatal.abort(error);
      });
    }),
  );
}

/**
 * Polls the streams of one list, each on its own interval; those that are due at about the same time
 * share a round.
 */
async function pollForEver(
  jobs: readonly Job[],
  supervision: Supervision,
  work: AccountWork & { readonly signal: AbortSignal },
): Promise<void> {
  const { tools, signal, stop, known } = work;
  const timetable = createTimetable(jobs, supervision, tools);
  while (timetable.waitMs() < Infinity) {
    if (!(await slept(timetable.waitMs(), work))) return;
    const due = timetable.begin();
    const verdicts = await pollRound(due, tools, { nextPollMs: timetable.nextMs, signal }).catch(
      (failure: unknown) => {
        if (signal.aborted) return [];
        throw failure;
      },
    );
    timetable.end(due);
    for (const [index, job] of due.entries()) {
      // Invariant 2: an account that comes back goes on from here, not from what was restored.
      known.set(stateKey(job.stream.name, job.account.id), { kind: 'state', state: job.state });
      const verdict = verdicts[index];
      if (verdict?.kind === 'stop-account') stop.abort();
      if (verdict === undefined || verdict.kind === 'stop-stream') timetable.leave(job);
    }
  }
}

/** Waits; false when aborted meanwhile. */
async function slept(
  ms: number,
  { tools, signal }: { readonly tools: PollerTools; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    await tools.clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
