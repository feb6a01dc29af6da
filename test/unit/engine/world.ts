import type { Account } from '../../../src/engine/account.ts';
import { id, long, required, text } from '../../../src/instagram/model/fields.ts';
import { recordOf } from '../../../src/instagram/model/decode.ts';
import { firstState as firstStateOf, type StreamState } from '../../../src/engine/state.ts';
import type { Stream } from '../../../src/engine/stream.ts';
import { suppressionEntry } from '../../../src/instagram/model/suppression-entry.ts';
import { createSource, type InstagramSource } from '../../../src/instagram/extract/extract.ts';
import {
  type Freshness,
  noPublicContent,
  type SourceSettings,
} from '../../../src/instagram/extract/extraction.ts';
import { declareStream } from '../../../src/instagram/streams/stream.ts';
import { RateLimiter } from '../../../src/engine/rate-limit/rate-limiter.ts';
import type { Poll } from '../../../src/engine/poll-context.ts';
import { type Job, newJob, type PollerTools } from '../../../src/engine/poller.ts';
import { noTrace, noTracer } from '../../../src/engine/tracing.ts';
import { PendingChanges } from '../../../src/engine/webhooks.ts';
import { Semaphore } from '../../../src/engine/rate-limit/semaphore.ts';
import { account as first } from '../../support/accounts.ts';
import { type FakeGraph, createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { type FakePublisher, createFakePublisher } from '../../support/fake-publisher.ts';
import { createJsonEncoder } from '../../support/json-encoder.ts';
import { type ManualClock, createManualClock } from '../../support/manual-clock.ts';
import {
  type RecordingTelemetry,
  createRecordingTelemetry,
} from '../../support/recording-telemetry.ts';

/** The start time of every test of this folder. */
export const startMs = Date.UTC(2026, 4, 12, 12);
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Freshness by which every object is read at every poll. */
export const everyPoll: Freshness = {
  tiers: [{ untilAgeMs: Infinity, everyMs: 0 }],
  wholeListMs: 1,
  newestMs: 2 * dayMs,
};

/** A signal that is never aborted. */
export const calm = new AbortController().signal;

const postFields = { id: required(id), caption: text, like_count: long };

/** A list of three fields, small enough to write its records by hand. */
export const posts = declareStream({
  name: 'media',
  interval: '1h',
  priority: 'normal',
  isCompacted: true,
  readsPeople: false,
  mode: 'full',
  doc: 'Posts.',
  key: ['id'],
  request: { kind: 'list', edge: 'media', fields: postFields },
  toRecord: recordOf(postFields),
});

/** A list whose key has more than the id: several accounts can have one photo. */
export const photos = declareStream({
  ...posts,
  name: 'photos',
  doc: 'Photos.',
  key: ['business_account_id', 'id'],
  request: { kind: 'list', edge: 'photos', fields: postFields },
});

/** Everything that a poll works with, faked. */
export interface World extends PollerTools {
  readonly graph: FakeGraph;
  readonly source: InstagramSource;
  readonly publisher: FakePublisher;
  readonly clock: ManualClock;
  readonly telemetry: RecordingTelemetry;
}

/** A source that has scanned no list yet, and scans whole lists at every poll. */
export function sourceOf(changes: Partial<SourceSettings> = {}): InstagramSource {
  const settings = { login: 'facebook', startDateMs: null, pageSize: 100 } as const;
  return createSource({
    ...settings,
    freshness: everyPoll,
    storyFinalWaitMs: 0,
    publicContent: noPublicContent,
    ...changes,
  });
}

/** A world without errors; a test overrides parts of it. */
export function createWorld(changes: Partial<World> = {}): World {
  const clock = changes.clock ?? createManualClock(startMs);
  const telemetry = changes.telemetry ?? createRecordingTelemetry();
  return {
    graph: createFakeGraph(() => pageOf([{ id: '1' }])),
    encoder: createJsonEncoder(),
    publisher: createFakePublisher(),
    prepareAccount: () => Promise.resolve(),
    clock,
    source: sourceOf(),
    telemetry,
    rateLimiter: new RateLimiter({ clock, telemetry, maxConcurrentRequests: 100 }),
    pollPermits: new Semaphore(8),
    suppressionEntry,
    pending: new PendingChanges(),
    tracer: noTracer,
    random: () => 0.5,
    retry: { baseMs: 1000, maxMs: 10_000, maxAttempts: 3 },
    settings: {
      lookbackMs: 2 * dayMs,
      maxBatchRecords: 500,
      publish: {},
      eventTimed: [],
      fieldRules: {},
      tombstones: false,
      instance: 'test-1',
    },
    ...changes,
  };
}

/** The state of a (stream, account) that was never polled. */
export function firstState(stream: Stream, account: Account = first): StreamState {
  return firstStateOf(stream.name, account.id);
}

export function jobOf(stream: Stream, account: Account = first): Job {
  return newJob(stream, account, firstState(stream, account));
}

export function pollOf(stream: Stream, changes: Partial<Poll> = {}): Poll {
  return {
    stream,
    account: first,
    id: `${stream.name}/${first.id}/2026-05-12T12:00:00.000Z`,
    startedMs: startMs,
    cycleMs: startMs,
    nextPollMs: null,
    trace: noTrace,
    suppressed: new Map(),
    state: firstState(stream),
    pause: null,
    published: new Set(),
    tally: {
      records: 0,
      deadLetters: 0,
      requests: 0,
      calls: 0,
      requestedMedia: 0,
      answeredNodes: 0,
      skipped: {},
      leftOut: [],
      unknownFields: new Set(),
    },
    ...changes,
  };
}
