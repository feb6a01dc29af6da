import type { Node } from '../../../../src/engine/json.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import type { InstagramStream } from '../../../../src/instagram/streams/stream.ts';
import { extract } from '../../../../src/instagram/extract/extract.ts';
import {
  type ExtractContext,
  createListCaches,
  noPublicContent,
} from '../../../../src/instagram/extract/extraction.ts';
import type { Page } from '../../../../src/engine/source.ts';
import { account } from '../../../support/accounts.ts';
import {
  type Answer,
  type FakeGraph,
  answersInTurn,
  createFakeGraph,
} from '../../../support/fake-graph.ts';
import { calm, dayMs, everyPoll, startMs } from '../../engine/world.ts';

/** The pages of a stream, and the error that ended it. */
export interface Extracted {
  readonly pages: readonly Page[];
  readonly nodes: readonly Node[];
  readonly error: unknown;
}

/** Extracts a stream until its end or its first error. */
export async function extractAll(
  stream: InstagramStream,
  graph: FakeGraph,
  changes: Partial<ExtractContext> = {},
): Promise<Extracted> {
  const pages: Page[] = [];
  let failure: unknown;
  try {
    for await (const page of extract(stream, contextOf(graph, changes))) pages.push(page);
  } catch (error) {
    failure = error;
  }
  return { pages, nodes: pages.flatMap(({ nodes }) => nodes), error: failure };
}

function contextOf(graph: FakeGraph, changes: Partial<ExtractContext>): ExtractContext {
  return {
    graph,
    account,
    login: 'facebook',
    checkpoint: emptyCheckpoint,
    nowMs: startMs,
    cycleMs: startMs,
    nextPollMs: null,
    startDateMs: null,
    lookbackMs: 2 * dayMs,
    pageSize: 100,
    caches: createListCaches(changes.pageSize ?? 100),
    freshness: everyPoll,
    storyFinalWaitMs: 0,
    publicContent: noPublicContent,
    maxBatchRecords: 500,
    sleep: () => Promise.resolve(),
    signal: calm,
    ...changes,
  };
}

/** A graph that returns the answers in turn. */
export const graphOf = (...answers: readonly Answer[]): FakeGraph =>
  createFakeGraph(answersInTurn(...answers));
