import type { Account } from './account.ts';
import { partitionOf } from './partition.ts';
import type { StreamName } from './stream-name.ts';
import type { AccountPollers, Streams } from './account-pollers.ts';
import type { Controls, Group, ControlAnswer } from './ports.ts';

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
    execute: (kind, stream, accountId) =>
      current?.execute(kind, stream, accountId) ??
      Promise.resolve({
        kind: 'unready',
        reason:
          'not accepting control requests: the program is starting up or shutting down (see /readyz)',
      }),
  };
}

/** The dependencies that control requests are checked against and carried out with. */
export interface ControlTools {
  readonly settings: Streams;
  readonly pollers: AccountPollers;
  readonly group: Group;
  /** All accounts of the tokens, as last listed. */
  readonly accounts: () => readonly Account[];
  /** Starts and stops pollers, so that an account that was ended starts again. */
  readonly reconcile: () => void;
  readonly signal: AbortSignal;
}

/** Creates the controls: they carry a control request out, or answer with the reason against it. */
export function createControls(tools: ControlTools): Controls {
  const { settings, pollers, reconcile } = tools;
  const { streams, overrides } = settings;
  return {
    async execute(kind, stream, accountId) {
      const known = streams.find((entry) => entry.stream.name === stream)?.stream.name;
      if (known === undefined) {
        const names = streams.map((entry) => entry.stream.name).join(', ');
        return { kind: 'unknown', reason: `no such stream is enabled; there are: ${names}` };
      }
      if (!tools.accounts().some(({ id }) => id === accountId)) {
        const reason = 'no such account is on the token, or it is not allowed';
        return { kind: 'unknown', reason };
      }
      const status = pollers.statusOf(known, accountId);
      if (status === 'elsewhere') return await elsewhere(accountId, tools);
      const conflict = kind === 'poll' ? conflictOf(status, known, accountId) : undefined;
      if (conflict !== undefined) return { kind: 'conflict', reason: conflict };
      overrides.apply(kind, known, accountId);
      if (kind === 'resume' && status === 'stopped') {
        pollers.restartHalted(accountId);
        reconcile();
      }
      return { kind: 'accepted' };
    },
  };

  /** Returns the reason against a poll. */
  function conflictOf(status: 'polled' | 'stopped', stream: StreamName, accountId: string) {
    if (status === 'stopped') return 'an error has stopped it; fix that, then request "resume"';
    const isPaused = overrides.isPaused(stream, accountId);
    return isPaused ? 'it is paused; request "resume" first' : undefined;
  }
}

/** Rejects a control request with the partition's owner, or null when the group does not answer. */
async function elsewhere(
  accountId: string,
  { group, signal }: ControlTools,
): Promise<ControlAnswer> {
  const partition = partitionOf(accountId, group.partitions);
  const owner = await group.ownerOf(partition, signal).catch(() => null);
  const reason = `partition ${partition}, which has the account, is not this instance's now`;
  return { kind: 'elsewhere', reason, owner };
}
