import { describe, expect, test } from '@jest/globals';
import { RetryError, SkipError } from '../../../../src/engine/errors.ts';
import { keyNumber } from '../../../../src/engine/fingerprint.ts';
import type { Node } from '../../../../src/engine/json.ts';
import { emptyCheckpoint, type Checkpoint } from '../../../../src/engine/state.ts';
import {
  createListCaches,
  type ExtractContext,
} from '../../../../src/instagram/extract/extraction.ts';
import type { GraphRequest } from '../../../../src/engine/ports.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import {
  type Answer,
  type FakeGraph,
  createFakeGraph,
  pageOf,
} from '../../../support/fake-graph.ts';
import { dayMs, hourMs, startMs } from '../../engine/world.ts';
import { extractAll } from './extracting.ts';

/** Sixty nodes, every third of which is an album of four children: `1002` has `1002001` to `1002004`. */
const ids = Array.from({ length: 60 }, (_, index) => String(1000 + index));
const childrenOf = (id: string) =>
  Number(id) % 3 === 0 ? Array.from({ length: 4 }, (_, index) => `${id}00${index + 1}`) : [];
const albums = ids.filter((id) => childrenOf(id).length > 0);

const child = (id: string): Node => ({ id, permalink: `https://p/${id}` });
const parentOf = (id: string) => id.slice(0, 4);

const isPageRequest = ({ path }: GraphRequest) => path.endsWith('/media');

/** The API's answers while some children are unreadable: a page, an album or a child. */
function answerTo(request: GraphRequest, broken: ReadonlySet<string>): Answer {
  const fields = request.query['fields'] ?? '';
  const isPage = isPageRequest(request);
  const asked = isPage ? ids : [request.path.slice(1)];
  const readsMore = fields.includes('children{id,');
  const read = readsMore ? asked.flatMap(childrenOf) : isPage ? [] : asked;
  if (read.some((id) => broken.has(id))) return new SkipError('graph.ambiguous', 'gone');
  const nodes = asked.map((id): Node => {
    if (!isPage && !fields.startsWith('children')) return child(id);
    const inside = fields.includes('children') && childrenOf(id).length > 0;
    const data = childrenOf(id).map((one) => (readsMore ? child(one) : { id: one }));
    return { id, like_count: 1, ...(inside && { children: { data } }) };
  });
  return isPage ? pageOf(nodes) : (nodes[0] ?? {});
}

/** A polled account whose program can be restarted. */
function follow(options: { idsFail?: boolean } = {}) {
  const broken = new Set<string>();
  let checkpoint: Checkpoint = emptyCheckpoint;
  let caches = createListCaches(100);
  const graph: FakeGraph = createFakeGraph((request) => {
    const isExpanded = request.query['fields']?.includes('children') === true;
    const fails = options.idsFail === true && isPageRequest(request) && isExpanded;
    return fails ? new SkipError('graph.gone', 'gone') : answerTo(request, broken);
  });
  return {
    broken,
    graph,
    get checkpoint() {
      return checkpoint;
    },
    restart() {
      caches = createListCaches(100);
    },
    async poll(changes: Partial<ExtractContext> = {}) {
      const before = graph.requests.length;
      const at = { nowMs: startMs, ...changes };
      const context = { checkpoint, caches, cycleMs: at.nowMs, ...at };
      const { nodes, pages, error } = await extractAll(streams.media, graph, context);
      const checkpointUpdate = pages.findLast(
        (page) => page.checkpointUpdate !== undefined,
      )?.checkpointUpdate;
      checkpoint = { ...checkpoint, ...checkpointUpdate };
      const found = new Map(
        nodes.map((node) => [node['id'], (node['children'] as { data: Node[] } | undefined)?.data]),
      );
      return {
        error,
        found,
        skipped: pages.flatMap((page) => page.skipped),
        requests: graph.requests.length - before,
      };
    },
  };
}

const without = (broken: ReadonlySet<string>) =>
  new Map(
    ids.map((id) => {
      const children = childrenOf(id).filter((one) => !broken.has(one));
      return [id, albums.includes(id) ? children.map(child) : undefined];
    }),
  );

describe('unreadable child of an album', () => {
  test('is excluded, and all other children are published', async () => {
    const account = follow();
    account.broken.add('1014003');
    const { found, skipped, requests } = await account.poll();

    expect(found).toEqual(without(new Set(['1014003'])));
    expect(skipped).toEqual([{ reason: 'graph.ambiguous', subject: '1014/1014003' }]);
    // The page twice, each of its twenty albums, and the four children of the broken one.
    expect(requests).toBe(2 + 20 + 4);
  });

  test('causes no extra request at the next polls, and is requested again two days later', async () => {
    const account = follow();
    account.broken.add('1014003');
    await account.poll();
    const later = await account.poll({ nowMs: startMs + 12 * hourMs });
    const nextDay = await account.poll({ nowMs: startMs + dayMs });
    account.broken.clear();
    const again = await account.poll({ nowMs: startMs + 48 * hourMs });

    expect([later.requests, later.skipped, later.found]).toEqual([
      1,
      [],
      without(new Set(['1014003'])),
    ]);
    // The URLs of the children have expired: the other albums, and the three children of the broken one.
    expect(nextDay.requests).toBe(1 + 19 + 3);
    expect(again.found).toEqual(without(new Set()));
  });

  test('is remembered in the state across a restart', async () => {
    const account = follow();
    account.broken.add('1014003');
    await account.poll();
    account.restart();
    const { found, skipped } = await account.poll({ nowMs: startMs + hourMs });

    expect(found).toEqual(without(account.broken));
    expect(skipped).toEqual([]);
    expect(account.checkpoint.rejections).toMatchObject([
      { subject: '1014/1014003', metric: null },
    ]);
  });

  test('is published again, without a manual step, once it is readable', async () => {
    const account = follow();
    account.broken.add('1014003');
    await account.poll();
    account.broken.clear();
    await account.poll({ nowMs: startMs + 48 * hourMs });
    const later = await account.poll({ nowMs: startMs + 49 * hourMs });

    expect(later.requests).toBe(1);
    expect(account.graph.queries.at(-1)?.['fields']).toContain('children{id,');
    expect(account.checkpoint.rejections).toEqual([]);
  });

  test('is excluded beside others in several albums', async () => {
    const account = follow();
    for (const id of ['1002001', '1014003', '1014004', '1056001']) account.broken.add(id);
    const { found, skipped } = await account.poll();
    const later = await account.poll({ nowMs: startMs + 1 });

    expect(found).toEqual(without(account.broken));
    expect(skipped.map(({ subject }) => subject).toSorted()).toEqual(
      [...account.broken].map((id) => `${parentOf(id)}/${id}`),
    );
    expect([later.requests, later.found]).toEqual([1, found]);
  });

  test('is excluded even when no child of its album is readable', async () => {
    const account = follow();
    for (const id of childrenOf('1014')) account.broken.add(id);
    const { found, error } = await account.poll();

    expect([error, found]).toEqual([undefined, without(account.broken)]);
  });

  test('fails the poll when no album is answered', async () => {
    const account = follow();
    account.broken.add('1014003');
    const away = new RetryError('graph.server', 'HTTP 500');
    const graph = createFakeGraph((request) =>
      isPageRequest(request) ? answerTo(request, account.broken) : away,
    );

    expect((await extractAll(streams.media, graph)).error).toBe(away);
  });
});

describe('albums whose children are unreadable', () => {
  test('are published without children when they were never published before', async () => {
    const { found, skipped } = await follow({ idsFail: true }).poll({ pageSize: 1 });

    expect([...found.values()]).toEqual(ids.map(() => undefined));
    expect(skipped.length).toBeGreaterThan(0);
  });

  test('are left as published before, and counted as skipped', async () => {
    const published = new Map([[keyNumber('1014'), 1n]]);
    const checkpoint = { ...emptyCheckpoint, published };
    const { found } = await follow({ idsFail: true }).poll({ checkpoint, nowMs: startMs + dayMs });

    expect(found.has('1014')).toBe(false);
    expect(found.size).toBe(ids.length - 1);
  });
});
