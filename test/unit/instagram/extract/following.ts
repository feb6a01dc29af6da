import { keyNumber } from '../../../../src/engine/fingerprint.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { emptyCheckpoint, type Checkpoint } from '../../../../src/engine/state.ts';
import {
  createListCaches,
  type ExtractContext,
} from '../../../../src/instagram/extract/extraction.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { type Answer, createFakeGraph, pageOf } from '../../../support/fake-graph.ts';
import { dayMs, startMs } from '../../engine/world.ts';
import { extractAll } from './extracting.ts';

/** The metrics of a feed image. */
export const post = [
  'reach',
  'views',
  'likes',
  'comments',
  'saved',
  'shares',
  'total_interactions',
  'follows',
  'profile_visits',
  'profile_activity',
  'reposts',
];

/** A time as Meta writes it. */
export const timeOf = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}+0000`;

/** Newest first, a day apart, as the API lists them. */
export const mediaOf = (count: number, kind: Node = {}): readonly Node[] =>
  Array.from({ length: count }, (_, index) => ({
    id: String(1000 + index),
    media_type: 'IMAGE',
    media_product_type: 'FEED',
    timestamp: timeOf(startMs - index * dayMs),
    ...kind,
  }));

export const idIn = ({ path }: GraphRequest) => path.split('/')[1] ?? '';
export const metricsIn = ({ query }: GraphRequest) => query['metric']?.split(',') ?? [];

/** An API in which every media answers each metric with 1, unless a rule answers instead. */
export function graphOf(
  listed: readonly Node[],
  rule: (request: GraphRequest) => Answer | undefined = () => undefined,
) {
  return createFakeGraph((request) => {
    if (!request.path.endsWith('/insights')) return pageOf(listed);
    const data = metricsIn(request).map((name) => ({ name, values: [{ value: 1 }] }));
    return rule(request) ?? { data };
  });
}

export const textOf = (id: unknown) => (typeof id === 'string' ? id : '');

/** A polled account with its checkpoint. */
export function follow(graph: ReturnType<typeof graphOf>, stream = streams.media_insights) {
  let checkpoint: Checkpoint = emptyCheckpoint;
  const caches = createListCaches(100);
  return {
    get checkpoint() {
      return checkpoint;
    },
    async poll(changes: Partial<ExtractContext> = {}) {
      const before = graph.requests.length;
      const nowMs = changes.nowMs ?? startMs;
      const context = { checkpoint, caches, nowMs, cycleMs: nowMs, ...changes };
      const { nodes, pages, error } = await extractAll(stream, graph, context);
      for (const { checkpointUpdate, readings = [], nodes: found, empty = [] } of pages) {
        const ids = [...found.map(({ id }) => textOf(id)), ...empty].map(keyNumber);
        checkpoint = {
          ...checkpoint,
          ...checkpointUpdate,
          insightsRead: new Map([...checkpoint.insightsRead, ...readings]),
          published: new Map([...checkpoint.published, ...ids.map((id) => [id, 1n] as const)]),
        };
      }
      if (error === undefined) checkpoint = { ...checkpoint, polledMs: nowMs };
      const asked = graph.requests.slice(before).filter(({ path }) => path.endsWith('/insights'));
      return {
        nodes,
        error,
        asked,
        ids: nodes.map(({ id }) => id),
        skipped: pages.flatMap(({ skipped }) => skipped),
        empty: pages.flatMap(({ empty = [] }) => empty),
      };
    },
  };
}
