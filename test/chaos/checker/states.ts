import type { StreamName } from '../../integration/end-to-end/expected-records.ts';
import { type Log, type Logged, byKey } from './logged.ts';
import { type News, cursorOf, newsOf, tells } from './news.ts';

/** What states say that records do not, and the other way round. */
export interface StateFindings {
  readonly ahead: string[];
  readonly behind: string[];
}

/**
 * Compares every state with the records that were committed with it.
 *
 * - The sequence of a key counts 1, 2, 3 …: a gap is a state ahead of what was committed, a number
 *   that comes again is a state behind.
 * - Every record lies in one transaction with a state that tells of it, or the state is behind.
 * - Whatever a state has of news lies in one transaction with its record, or the state is ahead.
 */
export function compareStates(log: Log): StateFindings {
  const findings: StateFindings = { ahead: [], behind: [] };
  const records = new Map<string, Logged[]>();
  const all: readonly Logged[] = [...log.streams.values(), log.deadLetters].flat();
  for (const record of all) {
    const of = records.get(record.owner) ?? [];
    of.push(record);
    records.set(record.owner, of);
  }
  const letters = new Set(log.deadLetters);
  const histories = byKey(log.states);
  for (const owner of new Set([...records.keys(), ...histories.keys()])) {
    const states = histories.get(owner) ?? [];
    countSequences(owner, states, findings);
    // The checkpoint of comments has no fingerprint of a record.
    if (owner.startsWith('comments/')) continue;
    compare({ owner, states, records: records.get(owner) ?? [], letters }, findings);
  }
  return findings;
}

function countSequences(owner: string, states: readonly Logged[], findings: StateFindings): void {
  let expected = 1;
  for (const state of states) {
    const sequence = Number(state.value?.['sequence']);
    const where = `${owner}: offset ${state.offset} has sequence ${sequence}, expected ${expected}`;
    if (sequence > expected) findings.ahead.push(where);
    if (sequence < expected) findings.behind.push(where);
    expected = sequence + 1;
  }
}

/** What belongs to one (stream, account). */
interface Owned {
  readonly owner: string;
  readonly states: readonly Logged[];
  readonly records: readonly Logged[];
  readonly letters: ReadonlySet<Logged>;
}

function compare(owned: Owned, findings: StateFindings): void {
  const { owner, states, letters } = owned;
  const stream = owner.split('/', 1)[0] as StreamName;
  const polls = Map.groupBy(owned.records, ({ poll }) => poll);
  const claimed = new Set<Logged>();
  const published: Logged[] = [];
  states.forEach((state, index) => {
    const news = newsOf(stream, states[index - 1], state);
    const beside = (polls.get(state.poll) ?? []).filter((record) => isBeside(record, state));
    const told = beside.filter((record) => letters.has(record) || tells(news, record));
    for (const record of told) claimed.add(record);
    published.push(...beside);
    findings.ahead.push(...missingRecords({ state, news, beside, told }));
    if (stream === 'user_insights') compareCursor(state, published, findings);
  });
  for (const { key, offset } of owned.records.filter((record) => !claimed.has(record))) {
    findings.behind.push(`${owner}: no state tells of ${key} at offset ${offset}`);
  }
}

/** One transaction has one producer, and nothing in it is sent after it was committed. */
function isBeside(record: Logged, state: Logged): boolean {
  return (
    record.producer === state.producer &&
    record.sentMs <= state.committedMs &&
    state.sentMs <= record.committedMs
  );
}

interface Told {
  readonly state: Logged;
  readonly news: News | null;
  /** Records of the state's transaction. */
  readonly beside: readonly Logged[];
  /** Those of them that the state stands for. */
  readonly told: readonly Logged[];
}

function missingRecords({ state, news, beside, told }: Told): string[] {
  const where = `${state.key}: offset ${state.offset}`;
  const published = new Set(told.map(({ key }) => key));
  const missing = [...(news?.keys() ?? [])]
    .filter((key) => !published.has(key))
    .map((key) => `${where} tells of ${key}, which is not beside it`);
  return state.poll !== undefined && beside.length === 0
    ? [...missing, `${where} has no record of its poll beside it`]
    : missing;
}

function compareCursor(state: Logged, published: readonly Logged[], findings: StateFindings): void {
  const dates = published.map(({ value }) => Number(value?.['date'] ?? -Infinity));
  const newest = dates.length === 0 ? -Infinity : Math.max(...dates);
  const cursor = cursorOf(state) ?? -Infinity;
  const where = `${state.key}: offset ${state.offset} has cursor ${cursor}, the newest day is ${newest}`;
  if (cursor > newest) findings.ahead.push(where);
  if (cursor < newest) findings.behind.push(where);
}
