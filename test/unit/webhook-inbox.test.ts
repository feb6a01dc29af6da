import { expect, test } from '@jest/globals';
import { PendingChanges, type WebhookChange } from '../../src/engine/webhooks.ts';
import type { InboxReader, InboxRecord } from '../../src/kafka/index.ts';
import { createInbox, followInbox } from '../../src/webhook-inbox.ts';
import { createManualClock } from '../support/manual-clock.ts';

const change = (id: string): WebhookChange => ({
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

test('the inbox: a processed change is never pending while the topic is read again', async () => {
  const { records, reader, ids, end } = await following([change('1'), change('2')]);
  for (const record of records) reader.take(record);
  expect(ids()).toEqual([]);

  reader.take({ key: change('1').key, value: null });
  reader.onCurrent();

  expect(ids()).toEqual(['2']);
  await end();
});

test('the inbox: a change that arrives after the first reading is pending at once', async () => {
  const { records, reader, ids, end } = await following([change('1')]);
  reader.onCurrent();
  for (const record of records) reader.take(record);
  expect(ids()).toEqual(['1']);

  reader.take({ key: change('1').key, value: null });

  expect(ids()).toEqual([]);
  await end();
});

test('the inbox: a failure long after another one is retried after the first delay', async () => {
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
