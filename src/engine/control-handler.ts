import type { Account } from './account.ts';
import { partitionOf } from './partition.ts';
import type { StreamName } from './stream-name.ts';
import type { AccountPollers, Streams } from './account-pollers.ts';
import type { Controls, Group, ControlAnswer, ControlAction } from './ports.ts';

/** Takes orders for whoever supervises; before and after that it refuses them. */
export interface ControlHandler extends Controls {
  /** Orders go to `controls` until disposed. */
  open(controls: Controls): Disposable;
}

/** Nobody supervises yet. */
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
    order: (kind, stream, accountId) =>
      current?.order(kind, stream, accountId) ??
      Promise.resolve({
        kind: 'unready',
        reason: 'the program does not poll yet, or stops; /readyz says why',
      }),
  };
}

/** What orders are checked against and carried out with. */
export interface ControlTools {
  readonly what: Streams;
  readonly pollers: AccountPollers;
  readonly group: Group;
  /** All that the tokens reach, as last listed. */
  readonly accounts: () => readonly Account[];
  /** Begins again what was ended, where it may. */
  readonly settle: () => void;
  readonly signal: AbortSignal;
}

/** Carries orders out, or says why not. */
export function createControls(tools: ControlTools): Controls {
  return {
    async order(kind, stream, accountId) {
      const known = tools.what.streams.find(({ stream: one }) => one.name === stream)?.stream.name;
      if (known === undefined) return unknown(unknownStream(tools.what));
      if (!tools.accounts().some(({ id }) => id === accountId)) {
        return unknown('no such account is on the token, or it is not allowed');
      }
      const status = tools.pollers.statusOf(known, accountId);
      if (status === 'elsewhere') return await elsewhere(accountId, tools);
      return carryOut({ kind, stream: known, accountId }, status, tools);
    },
  };
}

interface KnownRequest {
  readonly kind: ControlAction;
  readonly stream: StreamName;
  readonly accountId: string;
}

function carryOut(
  { kind, stream, accountId }: KnownRequest,
  status: 'polled' | 'stopped',
  { what, pollers, settle }: ControlTools,
): ControlAnswer {
  const isStopped = status === 'stopped';
  if (kind === 'poll' && isStopped) {
    return conflict('an error has stopped it; mend that and order "resume"');
  }
  if (kind === 'poll' && what.overrides.isPaused(stream, accountId)) {
    return conflict('it is paused; order "resume" first');
  }
  what.overrides.give(kind, stream, accountId);
  if (kind === 'resume' && isStopped) {
    pollers.revive(accountId);
    settle();
  }
  return { kind: 'accepted' };
}

/** The owner is asked of the group, which may not answer; the order is refused in any case. */
async function elsewhere(
  accountId: string,
  { group, signal }: ControlTools,
): Promise<ControlAnswer> {
  const partition = partitionOf(accountId, group.partitions);
  const owner = await group.ownerOf(partition, signal).catch(() => null);
  const reason = `partition ${partition}, which has the account, is not this instance's now`;
  return { kind: 'elsewhere', reason, owner };
}

function unknownStream({ streams }: Streams): string {
  const names = streams.map(({ stream }) => stream.name).join(', ');
  return `no such stream is enabled; there are: ${names}`;
}

function unknown(reason: string): ControlAnswer {
  return { kind: 'unknown', reason };
}

function conflict(reason: string): ControlAnswer {
  return { kind: 'conflict', reason };
}
