import type { Account } from '../../../src/engine/account.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';

type Event<Type extends TelemetryEvent['type']> = Extract<TelemetryEvent, { type: Type }>;

/** An account with that id. */
export function account(id: string): Account {
  return { id, pageId: null, username: null };
}

/** A poll of users of account 1 that published nothing, but for `changes`. */
export function finished(changes: Partial<Event<'poll-finished'>> = {}): Event<'poll-finished'> {
  return {
    type: 'poll-finished',
    stream: 'users',
    accountId: '1',
    records: 0,
    deadLetters: 0,
    requests: 1,
    calls: 1,
    requestedMedia: 0,
    answeredNodes: 0,
    skipped: {},
    leftOut: [],
    unknownFields: [],
    durationMs: 500,
    nextPollMs: null,
    trigger: 'schedule',
    ...changes,
  };
}

/** A poll of users of account 1 that is tried again, but for `changes`. */
export function failed(changes: Partial<Event<'poll-failed'>> = {}): Event<'poll-failed'> {
  return {
    type: 'poll-failed',
    stream: 'users',
    accountId: '1',
    code: 'graph.server',
    disposition: 'retry',
    message: 'HTTP 500',
    retryInMs: 1000,
    nextPollMs: null,
    trigger: 'schedule',
    ...changes,
  };
}
