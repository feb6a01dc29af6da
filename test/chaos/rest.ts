import { setTimeout as sleep } from 'node:timers/promises';
import { truthOf } from '../../sandbox/graph-api/truth.ts';
import { type TrueAccount, expectedComments } from '../integration/end-to-end/expected-more.ts';
import { type Truth, expectedRecords } from '../integration/end-to-end/expected-records.ts';
import { type ExpectedNow, findAllLost } from './checker/truth.ts';
import type { DecodedRecord } from './log/log-reader.ts';
import { readLog } from './read-log.ts';
import { type Site, topicOf } from './site.ts';

/** So long without anything new that the world has, and Kafka has not got it. */
const PATIENCE_MS = 180_000;
const PAUSE_MS = 500;

/**
 * Waits until every value of the world, which must be at rest, is the last value of its key.
 *
 * @returns what is still missing when nothing has come for a long time
 */
export async function awaitTruth(site: Site, signal: AbortSignal): Promise<readonly string[]> {
  let fewest = Infinity;
  let deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const lost = await lostNow(site);
    if (lost?.length === 0) return [];
    if (lost !== undefined && lost.length < fewest) {
      fewest = lost.length;
      deadlineMs = performance.now() + PATIENCE_MS;
    }
    if (performance.now() > deadlineMs) return lost ?? ['Kafka cannot be read'];
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

/** Undefined while a partition has no leader. */
async function lostNow(site: Site): Promise<readonly string[] | undefined> {
  try {
    await site.reader.catchUp();
  } catch {
    return undefined;
  }
  return findAllLost(expectedNow(site), readLog(site.reader, topicOf));
}

/** Reads until no transaction is open any more: the broker ends those of killed instances. */
export async function awaitEnd({ reader }: Site, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    await reader.catchUp();
    if (reader.open() === 0) return;
    if (performance.now() > deadlineMs) {
      throw new Error(`${reader.open()} records lie in transactions that nobody ends`);
    }
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

/** What must be in Kafka, with the world as it is now. */
export function expectedNow({ fast, api, reader }: Site): ExpectedNow {
  const truth = truthOf(fast.world, { comments: true }) as unknown as Truth;
  const expected = expectedRecords(truth, new Date(0).toISOString());
  // Stories that the API has rejected once for fewer than five viewers.
  const unseen = new Set(
    api.ledger.entries.filter(({ code }) => code === 10).map(({ request }) => idOf(request)),
  );
  const excluded = findExcluded(reader.records(topicOf('state')), Date.now());
  const without = <T>(values: ReadonlyMap<string, T>) =>
    new Map([...values].filter(([id]) => !excluded.has(id)));
  const records = {
    ...expected,
    media_insights: without(expected.media_insights),
    story_insights: new Map(
      [...without(expected.story_insights)].filter(([id]) => !unseen.has(id)),
    ),
  };
  const accounts = truth.accounts as unknown as readonly TrueAccount[];
  const comments = accounts.flatMap((account) => expectedComments(account).map(([id]) => id));
  return { records, comments: new Set(comments) };
}

/**
 * The media whose insights failed twice while those of others were answered: errors of the API that
 * ended in between. Their states exclude a media for an hour of the program and a story for ten
 * minutes, which is longer in the world.
 */
function findExcluded(
  states: readonly Pick<DecodedRecord, 'key' | 'decoded'>[],
  nowMs: number,
): ReadonlySet<string> {
  const last = new Map(states.map(({ key, decoded }) => [key?.toString(), decoded]));
  const refusals = [...last.values()].flatMap((state) => (state?.['refusals'] ?? []) as Refusal[]);
  return new Set(
    refusals
      .filter(({ metric, until }) => metric === null && until > nowMs)
      .map(({ subject }) => subject),
  );
}

/** What a state tells of an answer that the API refuses. */
interface Refusal {
  readonly subject: string;
  /** Null: the whole media is left out. */
  readonly metric: string | null;
  readonly until: number;
}

/** The media whose insights a request asks for, alone or in a batch. */
function idOf(request: string): string | undefined {
  return /^\/(\d+)\/insights\b/.exec(request)?.[1];
}
