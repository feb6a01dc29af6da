import { describe, expect, test } from '@jest/globals';
import { RetryError } from '../../src/engine/errors.ts';
import { PendingChanges, type WebhookChange } from '../../src/engine/webhooks.ts';
import type { InboxReader, InboxRecord } from '../../src/kafka/index.ts';
import type { LeveledLog } from '../../src/observability/index.ts';
import { createInbox, followInbox } from '../../src/webhook-inbox.ts';
import { createManualClock, settle } from '../support/manual-clock.ts';

const appSecret = 'the-secret-of-the-app';
const change = (id: string): WebhookChange => ({
  key: `1/live_comments/${id}`,
  accountId: '1',
  stream: 'comments',
  field: 'live_comments',
  sentMs: 1000,
  value: { id, media_id: '9', text: 'a private remark' },
});

/** A topic in memory, whose followers read it from its beginning; `failures` end the next reads. */
function createTopic(failures: readonly Error[] = []) {
  const records: InboxRecord[] = [];
  const left = [...failures];
  let reads = 0;
  return {
    records,
    reads: () => reads,
    append: (more: readonly InboxRecord[]): Promise<void> => {
      records.push(...more);
      return Promise.resolve();
    },
    async follow({ take, onCurrent }: InboxReader, signal: AbortSignal): Promise<void> {
      reads += 1;
      const failure = left.shift();
      if (failure !== undefined) throw failure;
      for (const record of records) take(record);
      onCurrent();
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
    },
  };
}

/** Follows a topic until the test stops it. */
function follow(topic: ReturnType<typeof createTopic>, secret = appSecret) {
  const pending = new PendingChanges();
  const warnings: string[] = [];
  const warn = (_fields: object, message: string) => void warnings.push(message);
  const log = { warn } as unknown as LeveledLog;
  const clock = createManualClock(0);
  const stop = new AbortController();
  const tools = { clock, random: () => 1, log };
  const ended = followInbox({ appSecret: secret, topic, pending }, tools, stop.signal);
  const ids = () => pending.of('comments', '1', 50_000).map(({ value }) => value['id']);
  return { pending, warnings, clock, ids, stop, ended };
}

const inboxOf = (topic: ReturnType<typeof createTopic>) =>
  createInbox({ appSecret, topic, pending: new PendingChanges() });
const { signal } = new AbortController();

describe('the inbox of webhooks', () => {
  test('writes changes encrypted, and reads them until they are removed', async () => {
    const topic = createTopic();
    await inboxOf(topic).accept([change('1'), change('2')], signal);
    await topic.append([{ key: change('1').key, value: null }]);
    const { pending, stop, ended, ids } = follow(topic);
    await settle();

    expect(topic.records.map(({ value }) => String(value)).join()).not.toContain('remark');
    expect(pending.of('comments', '1', 50)).toEqual([change('2')]);
    expect(ids()).toEqual(['2']);
    stop.abort();
    await ended;
  });

  test('writes fifty changes in a produce request', async () => {
    const topic = createTopic();
    const sizes: number[] = [];
    const append = (records: readonly InboxRecord[]): Promise<void> => {
      sizes.push(records.length);
      return Promise.resolve();
    };
    const changes = Array.from({ length: 120 }, (_, index) => change(String(index)));
    await createInbox({
      appSecret,
      topic: { ...topic, append },
      pending: new PendingChanges(),
    }).accept(changes, signal);

    expect(sizes).toEqual([50, 50, 20]);
  });

  test('ignores values of another secret and of other programs, and logs that once', async () => {
    const topic = createTopic();
    await inboxOf(topic).accept([change('1')], signal);
    await topic.append([
      { key: '1/live_comments/2', value: Buffer.from('short') },
      { key: '1/live_comments/3', value: Buffer.from('{"key":"1/live_comments/3"}'.repeat(9)) },
    ]);
    const { ids, warnings, stop, ended } = follow(topic, 'the-secret-of-another-app');
    await settle();

    expect(ids()).toEqual([]);
    expect(warnings).toEqual([
      'unreadable webhook change ignored: another app secret has encrypted it',
    ]);
    stop.abort();
    await ended;
  });

  test('reads the topic again after an error', async () => {
    const topic = createTopic([new RetryError('kafka.unavailable', 'no broker')]);
    await inboxOf(topic).accept([change('1')], signal);
    const { ids, warnings, clock, stop, ended } = follow(topic);
    await settle();
    expect([ids(), warnings]).toEqual([[], ['reading the inbox of webhooks failed']]);

    await clock.advance(60_000);
    expect([ids(), topic.reads()]).toEqual([['1'], 2]);
    stop.abort();
    await ended;
  });

  test('takes the changes of other accounts while one has no room, and reports that one', async () => {
    const topic = createTopic();
    const pending = new PendingChanges();
    for (let index = 0; index < 10_000; index += 1) pending.add(change(String(index)));
    const other = { ...change('1'), key: '2/live_comments/1', accountId: '2' };
    const accepting = createInbox({ appSecret, topic, pending }).accept(
      [change('a'), other],
      signal,
    );

    await expect(accepting).rejects.toThrow('account 1: its backlog of 10000 changes is full');
    expect(topic.records.map(({ key }) => key)).toEqual([other.key]);
  });
});

const storyChange = (id: string): WebhookChange => ({
  key: `17841/story_insights/${id}`,
  accountId: '17841',
  stream: 'story_insights',
  field: 'story_insights',
  sentMs: 0,
  value: { media_id: id, reach: 7 },
});

/** A follower of an inbox topic whose records the test passes on. */
async function following(changes: readonly WebhookChange[]) {
  const records: InboxRecord[] = [];
  const pending = new PendingChanges();
  const stop = new AbortController();
  const reading = Promise.withResolvers<InboxReader>();
  const parts = {
    appSecret: 'invented-secret',
    pending,
    topic: {
      append: (appended: readonly InboxRecord[]) => {
        records.push(...appended);
        return Promise.resolve();
      },
      follow: (reader: InboxReader, signal: AbortSignal) => {
        reading.resolve(reader);
        const ended = Promise.withResolvers<undefined>();
        signal.addEventListener('abort', () => {
          ended.resolve(undefined);
        });
        return ended.promise;
      },
    },
  };
  await createInbox(parts).accept(changes, stop.signal);
  const tools = { clock: createManualClock(0), random: () => 0, log: { warn: () => undefined } };
  const ended = followInbox(parts, tools, stop.signal);
  const reader = await reading.promise;
  const ids = () => pending.of('story_insights', '17841', 50).map(({ value }) => value['media_id']);
  const end = async () => {
    stop.abort();
    await ended;
  };
  return { records, reader, ids, end };
}

test('the inbox of webhooks: a processed change is never pending while the topic is read again', async () => {
  const { records, reader, ids, end } = await following([storyChange('1'), storyChange('2')]);
  for (const record of records) reader.take(record);
  expect(ids()).toEqual([]);

  reader.take({ key: storyChange('1').key, value: null });
  reader.onCurrent();

  expect(ids()).toEqual(['2']);
  await end();
});

test('the inbox of webhooks: a change that arrives after the first reading is pending at once', async () => {
  const { records, reader, ids, end } = await following([storyChange('1')]);
  reader.onCurrent();
  for (const record of records) reader.take(record);
  expect(ids()).toEqual(['1']);

  reader.take({ key: storyChange('1').key, value: null });

  expect(ids()).toEqual([]);
  await end();
});

test('the inbox of webhooks: a failure long after another one is retried after the first delay', async () => {
  const clock = createManualClock(0);
  const stop = new AbortController();
  const currentAt = new Set([3]);
  let readings = 0;
  const topic = {
    append: () => Promise.resolve(),
    follow: ({ onCurrent }: InboxReader) => {
      readings += 1;
      if (currentAt.has(readings)) onCurrent();
      return Promise.reject(new Error('the broker is away'));
    },
  };
  const parts = { appSecret: 'invented-secret', pending: new PendingChanges(), topic };
  const tools = { clock, random: () => 0.5, log: { warn: () => undefined } };
  const ended = followInbox(parts, tools, stop.signal);
  for (let waits = 0; waits < 3; waits += 1) await clock.advance(60_000);
  stop.abort();
  await ended;

  const [first, second, third] = clock.slept;
  expect(second).toBeGreaterThan(first ?? 0);
  expect(third).toBe(first);
});
