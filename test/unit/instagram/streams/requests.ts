import type { Login } from '../../../../src/engine/account.ts';
import type { Node, Value } from '../../../../src/engine/json.ts';
import type { Mapped, Origin } from '../../../../src/engine/stream.ts';
import type { InstagramStream } from '../../../../src/instagram/streams/stream.ts';
import { extract } from '../../../../src/instagram/extract/extract.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { createListCaches, noPublicContent } from '../../../../src/instagram/extract/extraction.ts';
import { everyPoll } from '../../engine/world.ts';
import { account } from '../../../support/accounts.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { listStreamOf } from '../../../support/list-streams.ts';

const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 4, 12, 12);

/** The origin of the nodes of these tests. */
export const origin: Origin = { account, polledAtMs: nowMs };

/** The provenance of the records of these tests. */
export const provenance = {
  business_account_id: '17841400000000001',
  page_id: '100000000000001',
  polled_at: Date.UTC(2026, 4, 12, 12),
};

/** A request as the API sees it, without its host, version and token. */
export interface Asked {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** The requests of one poll when the lists hold the given media and insights are empty. */
export async function requestsOf(
  stream: InstagramStream,
  { login = 'facebook', listed = [] }: { login?: Login; listed?: readonly Node[] } = {},
): Promise<readonly Asked[]> {
  const graph = createFakeGraph(({ path }) => (listStreamOf(path) ? pageOf(listed) : { data: [] }));
  const context = {
    graph,
    account,
    login,
    checkpoint: { ...emptyCheckpoint, cursorMs: nowMs - 24 * hourMs },
    nowMs,
    cycleMs: nowMs,
    nextPollMs: null,
    startDateMs: null,
    lookbackMs: 48 * hourMs,
    pageSize: 100,
    caches: createListCaches(100),
    freshness: everyPoll,
    storyFinalWaitMs: 0,
    publicContent: noPublicContent,
    maxBatchRecords: 500,
    sleep: () => Promise.resolve(),
    signal: new AbortController().signal,
  };
  const pages = extract(stream, context);
  while ((await pages.next()).done !== true);
  return graph.requests.map(({ path, query }) => ({ path, query }));
}

/** The mapping of a node without unknown and without invalid fields. */
export const mappedTo = (record: Value): Mapped => ({
  kind: 'record',
  record,
  unknown: [],
  rejected: [],
});
