import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isClassifiedError } from '../../src/engine/errors.ts';
import { type Json, type Node, type Value, isNode } from '../../src/engine/json.ts';
import type { TopicRole } from '../../src/engine/stream-name.ts';
import { readSchema } from '../../src/registry/schemas.ts';
import { getEach } from '../../src/engine/rate-limit/get-each.ts';
import type { Encoder, Graph, OutgoingRecord } from '../../src/engine/ports.ts';
import type { WebhookChange } from '../../src/engine/webhooks.ts';
import { runPoll } from '../../src/engine/poll.ts';
import {
  type InstagramStreamName,
  streams,
  streamNames,
} from '../../src/instagram/streams/index.ts';
import { type FakeGraph, createFakeGraph } from '../support/fake-graph.ts';
import { account } from '../support/accounts.ts';
import { startHttpServer } from '../support/http-server.ts';
import { open } from '../unit/instagram/opened.ts';
import { calm, createWorld, firstState, pollOf, sourceOf } from '../unit/engine/world.ts';
import { healthyAnswer } from './healthy-answers.ts';
import { type Place, placesOf, withoutEntry, withValue } from './places.ts';

const schemas = new Map<TopicRole, ReturnType<typeof readSchema>>();

/** A schema is read once: a run encodes tens of thousands of records. */
function schemaOf(role: TopicRole) {
  const known = schemas.get(role) ?? readSchema(role);
  schemas.set(role, known);
  return known;
}

/** Encodes with the real schemas, and rejects a record with an extra field or a field of another type. */
const strictEncoder: Encoder = {
  schemaId: () => 1,
  encodeKey: () => undefined,
  encode(role: TopicRole, value: Value) {
    const { type } = schemaOf(role);
    const paths: string[] = [];
    const errorHook = (path: string[]): void => void paths.push(path.join('.'));
    if (!type.isValid(value, { noUndeclaredFields: true, errorHook })) {
      throw new Error(`not a record of ${role}: ${paths.join(', ')}`);
    }
    return type.toBuffer(value);
  },
};

/** The changes that a stream needs to have something to read: two mentions; undefined for others. */
function changesOf(stream: InstagramStreamName): readonly WebhookChange[] | undefined {
  if (stream !== 'mentions') return undefined;
  const values: readonly Node[] = [{ media_id: '18' }, { media_id: '18', comment_id: '19' }];
  return values.map((value, index) => {
    const key = `${account.id}/mentions/${index}`;
    return { key, accountId: account.id, stream, field: 'mentions', sentMs: 0, value };
  });
}

const publicContent = { users: ['brand'], mediaAgeMs: 1, hashtags: ['coke'], hashtagPages: 1 };

/** Polls a stream once and checks the properties that hold for every answer of the API. */
async function pollAndCheck(name: InstagramStreamName, graph: Graph) {
  const stream = streams[name];
  const source = sourceOf({ publicContent });
  const world = { ...createWorld({ encoder: strictEncoder, source }), graph };
  const before = firstState(stream);
  const poll = pollOf(stream, { state: before, changes: changesOf(name) });
  const error = await runPoll(poll, world, calm).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  // Any error has a code.
  expect(error === undefined || isClassifiedError(error) ? 'named' : error).toBe('named');

  const { batches } = world.publisher;
  expect(batches.map(({ state }) => state.sequence)).toEqual(batches.map((_, index) => index + 1));
  expect(poll.state.sequence).toBe(batches.length);
  const records = batches.flatMap((batch) => batch.records);
  const own = records.filter(({ role }) => role === name);
  expect(own.every(({ key }) => !/(^|\/)(undefined|null|NaN|)(\/|$)/.test(key))).toBe(true);
  // No state is ahead of the published records.
  if (batches.length === 0 && error !== undefined) expect(poll.state).toEqual(before);
  const { cursorMs } = poll.state;
  if (cursorMs !== null) expect(own.map(dateOf)).toContain(cursorMs);
  const { deadLetters, skipped } = poll.tally;
  return { error, own, accounted: deadLetters + Object.keys(skipped).length };
}

type Outgoing = Pick<OutgoingRecord, 'role' | 'key' | 'value'>;

function recordOf({ role, value }: Outgoing): Value {
  return value === null ? {} : (schemaOf(role).type.fromBuffer(value) as Value);
}

function dateOf(record: Outgoing): unknown {
  return recordOf(record)['date'];
}

/** The values of all records by key and path; objects and lists are split into their parts. */
function valuesOf(records: readonly Outgoing[]): ReadonlyMap<string, Json> {
  const places = records.flatMap((record) =>
    placesOf(recordOf(record)).map(({ path, value }) => [`${record.key} ${path}`, value] as const),
  );
  return new Map(places.filter(([, value]) => typeof value !== 'object' || value === null));
}

/** An API with healthy answers, except for one that `spoil` changes. */
function spoiledGraph(at: number, spoil: (body: Node) => Node): FakeGraph {
  return createFakeGraph((request, index) => {
    const body = healthyAnswer(request);
    // As JSON sends it: a list has no holes, and -0 is 0.
    return index === at ? (JSON.parse(JSON.stringify(spoil(body))) as Node) : body;
  });
}

/** Replacements of a list entry or of a part of it; none is a valid id, time or count. */
const odd = fc.constantFrom<Json>(null, true, 12.5, -1, 'n/a', '', [], [null], {}, { a: null });

const isInEntry = ({ steps }: Place) => steps.some((step) => typeof step === 'number');

/** True when a value in place of an inner one means "empty", such as null for a list of replies. */
function saysNothing({ steps }: Place, value: Json): boolean {
  return typeof steps.at(-1) === 'string' && ['null', '[]', '{}'].includes(JSON.stringify(value));
}

const anyJson = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;

describe.each(streamNames)('stream %s with arbitrary API answers', (name) => {
  test('publishes records from healthy answers', async () => {
    const { error, own } = await pollAndCheck(name, createFakeGraph(healthyAnswer));
    expect(error).toBeUndefined();
    expect(own.length).toBeGreaterThan(0);
  });

  test('survives any value at any place of any answer, and makes no invalid record of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(500), anyJson, async (at, place, value) => {
        const spoil = (body: Node): Node => {
          const places = placesOf(body);
          const found = places[place % Math.max(1, places.length)];
          return found === undefined ? body : withValue(body, found, value);
        };
        await pollAndCheck(name, spoiledGraph(at, spoil));
      }),
      { numRuns: 60 },
    );
  });

  // Invariant 3
  test('loses at most the list entry that holds an odd value (Invariant 3)', async () => {
    const all = createFakeGraph(healthyAnswer);
    const healthy = await pollAndCheck(name, all);
    const whole = [...valuesOf(healthy.own)];
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), odd, async (request, at, value) => {
        const index = request % all.requests.length;
        const body = healthyAnswer(all.requests[index] ?? { path: '', query: {} });
        const places = placesOf(body).filter(isInEntry);
        const place = places[at % Math.max(1, places.length)];
        if (place === undefined) return;
        const lacking = await pollAndCheck(
          name,
          spoiledGraph(index, () => withoutEntry(body, place)),
        );
        const spoiled = spoiledGraph(index, () => withValue(body, place, value));
        const { error, own, accounted } = await pollAndCheck(name, spoiled);

        expect(error).toBeUndefined();
        const [left, kept] = [valuesOf(lacking.own), valuesOf(own)];
        const beside = whole.filter(([path, was]) => left.get(path) === was);
        expect(beside.filter(([path, was]) => kept.get(path) !== was)).toEqual([]);
        const isFetched = isDeepStrictEqual(spoiled.requests, all.requests);
        const isLess = own.length < healthy.own.length && !saysNothing(place, value);
        expect([isFetched && isLess, accounted]).not.toEqual([true, 0]);
      }),
      { numRuns: 60 },
    );
  });

  test('survives an answer with any member missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(5), fc.nat(500), async (at, place) => {
        const spoil = (body: Node): Node => {
          const places = placesOf(body);
          const found = places[place % Math.max(1, places.length)];
          return found === undefined ? body : withValue(body, found, undefined);
        };
        await pollAndCheck(name, spoiledGraph(at, spoil));
      }),
      { numRuns: 60 },
    );
  });

  test('treats any object in place of an answer as a bad body or as an empty answer', async () => {
    const anyObject = anyJson.filter(isNode);
    await fc.assert(
      fc.asyncProperty(fc.nat(3), anyObject, async (at, body) => {
        await pollAndCheck(
          name,
          spoiledGraph(at, () => body),
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(streamNames)('stream %s with distorted HTTP bodies', (name) => {
  test('ends every truncated, changed or foreign answer in a named error or a dead letter', async () => {
    let spoil: (text: string, index: number) => string = (text) => text;
    let index = 0;
    await using server = await startHttpServer(({ path, query }, response) => {
      const request = {
        endpoint: '',
        path: path.replace(/^\/v[\d.]+/, ''),
        query,
        accountId: null,
      };
      const text = spoil(JSON.stringify(healthyAnswer(request)), index);
      index += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(text);
    });
    await using instagram = open(server.url, { login: 'instagram' });
    const anyText = fc.oneof(
      fc.record({ cut: fc.nat(2000) }),
      fc.record({
        at: fc.nat(2000),
        put: fc.oneof(
          fc.string(),
          fc.constantFrom('1e999', '{', '"', '\\u0000', '-', '99999999999999999999'),
        ),
      }),
      fc.record({
        text: fc.oneof(
          fc.string(),
          anyJson.map((json) => JSON.stringify(json)),
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(2), anyText, async (at, how) => {
        index = 0;
        spoil = (text, asked) => {
          if (asked !== at) return text;
          if ('cut' in how) return text.slice(0, how.cut % text.length);
          if ('text' in how) return how.text;
          const place = how.at % text.length;
          return text.slice(0, place) + how.put + text.slice(place + 1);
        };
        await pollAndCheck(name, {
          get: (request, signal) => instagram.graph.get(request, signal),
          getEach: (requests, signal) => getEach(instagram.graph, requests, signal),
        });
      }),
      { numRuns: 60 },
    );
  });
});
