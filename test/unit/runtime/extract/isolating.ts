import { emptyMemory } from '../../../../src/core/state.ts';
import type { Memory } from '../../../../src/core/state.ts';
import type { Node } from '../../../../src/core/json.ts';
import type { ExtractContext } from '../../../../src/runtime/extraction.ts';
import type { GraphRequest } from '../../../../src/runtime/ports.ts';
import { streams } from '../../../../src/streams/index.ts';
import type { Answer, FakeGraph } from '../../../support/fake-graph.ts';
import { createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { dayMs, startMs } from '../world.ts';
import { extractAll } from './extracting.ts';

/** Newest first, a day apart, as the API lists them. */
export const mediaOf = (count: number): readonly Node[] =>
  Array.from({ length: count }, (_, index) => ({
    id: String(1000 + index),
    media_type: 'IMAGE',
    media_product_type: 'FEED',
    timestamp: `${new Date(startMs - index * dayMs).toISOString().slice(0, 19)}+0000`,
  }));

export const idsIn = ({ query }: GraphRequest) => (query['ids'] ?? '').split(',');
export const asks = ({ query }: GraphRequest, metric: string) =>
  /metric\(([^)]*)\)/
    .exec(query['fields'] ?? '')?.[1]
    ?.split(',')
    .includes(metric) === true;

/** Every media answers each metric with 1, unless the rule refuses. */
export function graphOf(
  listed: readonly Node[],
  refuse: (request: GraphRequest) => Answer | undefined,
) {
  return createFakeGraph((request) => {
    if (request.path !== '/') return pageOf(listed);
    const metrics = /metric\(([^)]*)\)/.exec(request.query['fields'] ?? '')?.[1]?.split(',') ?? [];
    const data = metrics.map((name) => ({ name, values: [{ value: 1 }] }));
    const answers = idsIn(request).map((id) => [id, { id, insights: { data } }] as const);
    return refuse(request) ?? Object.fromEntries(answers);
  });
}

export const asked = (graph: FakeGraph) => graph.requests.filter(({ path }) => path === '/');

/** One poll, and what it remembers for the next. */
export async function poll(
  graph: FakeGraph,
  memory: Memory = emptyMemory,
  at: number | Partial<ExtractContext> = startMs,
) {
  const before = asked(graph).length;
  const { nowMs = startMs, ...changes } = typeof at === 'number' ? { nowMs: at } : at;
  const extracted = await extractAll(streams.media_insights, graph, {
    memory,
    nowMs,
    roundMs: nowMs,
    ...changes,
  });
  const learned = extracted.pages.findLast((page) => page.learned !== undefined)?.learned;
  return {
    ...extracted,
    ids: extracted.nodes.map(({ id }) => id),
    skipped: extracted.pages.flatMap(({ skipped }) => skipped),
    requests: asked(graph).length - before,
    memory: { ...memory, ...learned },
  };
}
