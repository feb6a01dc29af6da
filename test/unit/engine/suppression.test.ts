import { describe, expect, test } from '@jest/globals';
import { DeadLetterError } from '../../../src/engine/errors.ts';
import type { Node } from '../../../src/engine/json.ts';
import { runPoll } from '../../../src/engine/poll.ts';
import { startJob } from '../../../src/engine/poller.ts';
import { stateKey } from '../../../src/engine/state.ts';
import {
  authorNames,
  type PersonName,
  suppressedBy,
  suppressionName,
} from '../../../src/engine/suppression.ts';
import { suppressionEntry } from '../../../src/instagram/model/suppression-entry.ts';
import { streams } from '../../../src/instagram/streams/index.ts';
import { account } from '../../support/accounts.ts';
import { createFakeGraph, pageOf } from '../../support/fake-graph.ts';
import { keysOf } from '../../support/json-encoder.ts';
import { calm, createWorld, firstState, pollOf, posts } from './world.ts';

const author = { username: ['username', 'from.username'], id: ['from.id'] };
const ann = { kind: 'username', value: 'ann' } as const;

describe('an entry of a suppression list', () => {
  test('is a number of 64 bits that does not depend on the case of the name', () => {
    const entry = suppressionEntry('17', ann);
    expect(entry).toMatch(/^\d{1,20}$/);
    expect(BigInt(entry) < 2n ** 64n).toBe(true);
    expect(suppressionEntry('17', { ...ann, value: 'Ann' })).toBe(entry);
  });

  test('differs by account, and between a user name and an id', () => {
    const entries = [
      suppressionEntry('17', ann),
      suppressionEntry('18', ann),
      suppressionEntry('17', { kind: 'username', value: '5' }),
      suppressionEntry('17', { kind: 'id', value: '5' }),
    ];
    expect(new Set(entries).size).toBe(4);
  });
});

describe('the names of an author', () => {
  test('are those of the declared fields that have texts', () => {
    const node = { username: 'ann', from: { id: '5', username: null }, text: 'bob' };
    expect(authorNames(node, author)).toEqual([ann, { kind: 'id', value: '5' }]);
    expect(authorNames({ from: 'ann' }, author)).toEqual([]);
  });

  test.each<[string, Node, boolean]>([
    ['a listed user name', { username: 'ANN' }, true],
    ['a listed id under another name', { username: 'ann.new', from: { id: '5' } }, true],
    ['another name', { username: 'bob', from: { id: '6' }, text: 'ann' }, false],
    ['no author', {}, false],
  ])('of a node with %s are compared with the list', (_name, node, expected) => {
    const names = [ann, { kind: 'id', value: '5' }] as const;
    const list = new Map(names.map((name) => [suppressionEntry('17', name), 1n]));
    const entryOf = (accountId: string) => (name: PersonName) => suppressionEntry(accountId, name);
    expect(suppressedBy(list, author, entryOf('17'))(node)).toBe(expected);
    expect(suppressedBy(list, author, entryOf('18'))(node)).toBe(false);
  });
});

describe('a poll of an account with a suppression list', () => {
  const suppressed = new Map([[suppressionEntry(account.id, ann), 1n]]);
  const nodes = [
    { id: '1', username: 'ann' },
    { id: '2', username: 'bob' },
    { id: '3', username: 'ann', like_count: 'many' },
    { id: '4', username: 'bob', like_count: 'many' },
  ];

  test('publishes and dead-letters nothing by its people, and counts what it left out', async () => {
    const world = createWorld({ graph: createFakeGraph(() => pageOf(nodes)) });
    const poll = pollOf(streams.tags, { suppressed });
    await runPoll(poll, world, calm);

    const { batches } = world.publisher;
    const key = (id: string) => `tags ${account.id}/${id}`;
    expect(keysOf(batches)).toEqual([key('2'), `dead_letters tags/${account.id}`]);
    const values = batches.flatMap(({ records }) => records.map(({ value }) => String(value)));
    expect(values.join()).not.toContain('ann');
    expect(poll.tally.skipped).toEqual({ 'person.suppressed': 2 });
    expect(poll.tally.leftOut).toEqual([]);
  });

  test('leaves out no record of a stream that other people do not write', async () => {
    const world = createWorld({ graph: createFakeGraph(() => pageOf(nodes.slice(0, 2))) });
    const poll = pollOf(posts, { suppressed });
    await runPoll(poll, world, calm);
    expect(keysOf(world.publisher.batches)).toEqual(['media 1', 'media 2']);
  });

  test('leaves out the invalid parts of an answer by its people', async () => {
    const world = createWorld();
    const raws = ['{"id":"1","username":"ann"}', '{"id":"2","username":"bob"}', 'no JSON'];
    const rejected = raws.map((raw) => {
      return new DeadLetterError('mapping.invalid', 'odd', { path: 'data', raw });
    });
    const page = { nodes: [], skipped: [], rejected, coveredUntilMs: null };
    const source = { markListPublished: () => undefined, pages: () => [page].values() };
    const poll = pollOf(streams.tags, { suppressed });
    await runPoll(poll, { ...world, source: source as unknown as typeof world.source }, calm);
    const records = world.publisher.batches.flatMap((batch) => batch.records);
    const texts = records.map(({ value }) => value?.toString() ?? '');
    expect(texts).toHaveLength(2);
    expect(texts.join()).not.toContain('ann');
    expect(poll.tally.skipped).toEqual({ 'person.suppressed': 1 });
  });
});

describe('the job of a stream', () => {
  const key = stateKey(suppressionName, account.id);
  const published = new Map([['5', 5n]]);
  const list = { ...firstState(posts), stream: suppressionName, published };
  const unreadable = { kind: 'unreadable', error: new Error('odd') } as const;

  test('has the suppression list of its account', () => {
    const restored = new Map([[key, { kind: 'state', state: list } as const]]);
    expect(startJob(streams.tags, account, restored).job.suppressed).toBe(published);
    expect(startJob(streams.tags, account, new Map()).job.suppressed).toBeUndefined();
  });

  test('does not start with an unreadable list, if other people write its records', () => {
    const restored = new Map([[key, unreadable]]);
    expect(startJob(streams.tags, account, restored).error).toBe(unreadable.error);
    expect(startJob(streams.media, account, restored).error).toBeUndefined();
  });
});
