import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  readWebhookPayload,
  type WebhookScope,
} from '../../../../src/instagram/webhooks/payload.ts';
import { account } from '../../../support/accounts.ts';

const accountId = account.id;
const scope: WebhookScope = {
  accounts: new Map([accountId, '17841405726653026'].map((id) => [id, { ...account, id }])),
  streams: new Set(['comments', 'mentions', 'story_insights']),
  receivedMs: 1_800_000_000_000,
};

function fixture(name: string): unknown {
  const file = new URL(`../../../fixtures/webhooks/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { body: unknown }).body;
}

const read = (body: unknown, changes: Partial<WebhookScope> = {}) =>
  readWebhookPayload(JSON.stringify(body), { ...scope, ...changes });

const entryOf = (...changes: unknown[]) => ({ id: accountId, time: 1_795_939_200, changes });
const bodyOf = (...entry: unknown[]) => ({ object: 'instagram', entry });
const mention = { field: 'mentions', value: { media_id: '18000000000000097' } };
const mentionKey = `${accountId}/mentions/18000000000000097`;

describe('readWebhookPayload', () => {
  test('reads comments with changes: a reply, and a comment by the account itself', () => {
    expect(read(fixture('comments_real'))).toEqual({
      changes: [
        {
          key: `${accountId}/comments/17900000000000001`,
          accountId,
          stream: 'comments',
          field: 'comments',
          sentMs: 1_795_939_200_000,
          value: {
            id: '17900000000000001',
            media_id: '18000000000000001',
            parent_id: '17900000000000000',
          },
        },
        {
          key: `${accountId}/comments/17900000000000004`,
          accountId,
          stream: 'comments',
          field: 'comments',
          sentMs: 1_795_939_201_000,
          value: { id: '17900000000000004', media_id: '18000000000000001' },
        },
      ],
      ignored: [],
    });
  });

  test('reads a comment in the form without changes', () => {
    expect(read(fixture('comments_flat'))?.changes).toEqual([
      {
        key: `${accountId}/comments/17900000000000001`,
        accountId,
        stream: 'comments',
        field: 'comments',
        sentMs: 1_795_939_200_000,
        value: { id: '17900000000000001', media_id: '18000000000000001' },
      },
    ]);
  });

  test('reads the id of a comment from comment_id where id is missing', () => {
    expect(read(fixture('comments_fb_login'))?.changes).toMatchObject([
      {
        key: `${accountId}/comments/17900000000000001`,
        value: { id: '17900000000000001', parent_id: '17900000000000000' },
      },
    ]);
  });

  test('keeps the text and the author of a live comment', () => {
    expect(read(fixture('live_comments_v26'))?.changes).toEqual([
      {
        key: `${accountId}/live_comments/17900000000000002`,
        accountId,
        stream: 'comments',
        field: 'live_comments',
        sentMs: 1_795_939_200_000,
        value: {
          id: '17900000000000002',
          media_id: '18000000000000098',
          text: 'An invented live comment',
          from: { id: '1000000000000777', username: 'someone.invented' },
        },
      },
    ]);
  });

  test('gives a mention in a comment another key than one in the caption of its media', () => {
    const changes = read(fixture('mentions'))?.changes ?? [];
    expect(changes.map(({ key, value }) => [key, value])).toEqual([
      [mentionKey, { media_id: '18000000000000097' }],
      [
        `${mentionKey}:17900000000000003`,
        { media_id: '18000000000000097', comment_id: '17900000000000003' },
      ],
    ]);
  });

  test('reads the numbers of story_insights as sent', () => {
    expect(read(fixture('story_insights'))?.changes).toMatchObject([
      {
        key: '17841405726653026/story_insights/18023345989012587',
        stream: 'story_insights',
        sentMs: 1_547_687_043_000,
        value: {
          media_id: '18023345989012587',
          impressions: 28,
          reach: 17,
          taps_forward: 12,
          taps_back: 0,
          exits: 1,
          replies: 0,
        },
      },
    ]);
    expect(read(fixture('story_insights_small'))?.changes[0]?.value).toMatchObject({ reach: -1 });
  });

  test('leaves out a number of story_insights that has another type', () => {
    const value = { media_id: '1', reach: 5, exits: '7', replies: null };
    const changes = read(bodyOf(entryOf({ field: 'story_insights', value })))?.changes;
    expect(changes?.[0]?.value).toEqual({ media_id: '1', reach: 5 });
  });

  test('reads a time in milliseconds, and takes the time of the request where none is valid', () => {
    expect(read(fixture('time_in_ms'))?.changes[0]?.sentMs).toBe(1_795_939_200_123);
    for (const time of [undefined, -1, 1.5, 'soon', null]) {
      const changes = read(bodyOf({ id: accountId, time, changes: [mention] }))?.changes;
      expect(changes?.[0]?.sentMs).toBe(1_800_000_000_000);
    }
  });

  test('reads ids that are numbers, also those beyond 2^53', () => {
    const body = `{"object":"instagram","entry":[{"id":${accountId},"time":1,"changes":[{"field":"mentions","value":{"media_id":18000000000000097}}]}]}`;
    expect(readWebhookPayload(body, scope)?.changes[0]?.key).toBe(mentionKey);
  });

  test.each([
    ['an account that no token lists', fixture('dashboard_test'), 'comments', 'unknown-account'],
    ['names of fields without values', fixture('changed_fields'), 'comments', 'no-values'],
    [
      'a field that no stream uses',
      bodyOf(entryOf({ field: 'message_reactions', value: {} })),
      'message_reactions',
      'unknown-field',
    ],
    ['a name of Object', bodyOf(entryOf({ field: 'toString' })), 'toString', 'unknown-field'],
    ['messages', bodyOf({ id: accountId, messaging: [{}] }), 'messaging', 'unknown-field'],
    ['another product', { object: 'page', entry: [entryOf(mention)] }, 'page', 'unknown-object'],
    ['an entry that is no object', bodyOf(7), '', 'malformed'],
    ['changes that are no list', bodyOf({ id: accountId, changes: 7 }), '', 'malformed'],
    ['a change that is no object', bodyOf(entryOf(null)), '', 'malformed'],
    ['a change without a value', bodyOf(entryOf({ field: 'mentions' })), 'mentions', 'malformed'],
    [
      'a comment without its media',
      bodyOf(entryOf({ field: 'comments', value: { id: '1' } })),
      'comments',
      'malformed',
    ],
    [
      'an id that is no number',
      bodyOf(entryOf({ field: 'mentions', value: { media_id: '../1' } })),
      'mentions',
      'malformed',
    ],
    [
      'a story without numbers',
      bodyOf(entryOf({ field: 'story_insights', value: { media_id: '1', reach: '7' } })),
      'story_insights',
      'malformed',
    ],
  ])('ignores and counts %s', (_case, body, field, reason) => {
    expect(read(body)).toEqual({ changes: [], ignored: [{ field, reason, count: 1 }] });
  });

  test('ignores the changes of a disabled stream', () => {
    const ignored = read(bodyOf(entryOf(mention)), { streams: new Set(['comments']) })?.ignored;
    expect(ignored).toEqual([{ field: 'mentions', reason: 'stream-disabled', count: 1 }]);
  });

  test('ignores the changes of a stream that the account is excluded from', () => {
    const polling = { streams: ['media'], intervalsMs: {} } as const;
    const accounts = new Map([[accountId, { ...account, polling }]]);
    const { changes, ignored } = read(bodyOf(entryOf(mention)), { accounts }) ?? {};
    expect(changes).toEqual([]);
    expect(ignored).toEqual([{ field: 'mentions', reason: 'stream-disabled', count: 1 }]);
  });

  test('keeps the valid parts beside invalid ones', () => {
    const body = bodyOf(7, entryOf({ field: 'comments' }, mention, null), null, { id: 1 });
    expect(read(body)).toMatchObject({
      changes: [{ key: mentionKey }],
      ignored: [
        { field: '', reason: 'malformed', count: 3 },
        { field: 'comments', reason: 'malformed', count: 1 },
        { field: '', reason: 'unknown-field', count: 1 },
      ],
    });
  });

  test('keeps the last change of a key', () => {
    const story = (reach: number) => ({ field: 'story_insights', value: { media_id: '1', reach } });
    const changes = read(bodyOf(entryOf(story(1), story(2))))?.changes;
    expect(changes?.map(({ value }) => value)).toEqual([{ media_id: '1', reach: 2 }]);
  });

  test('counts further names of fields together', () => {
    const changes = Array.from({ length: 50 }, (_, n) => ({ field: `field_${String(n)}` }));
    const ignored = read(bodyOf(entryOf(...changes)))?.ignored ?? [];
    expect(ignored).toHaveLength(21);
    expect(ignored.at(-1)).toEqual({ field: '', reason: 'unknown-field', count: 30 });
  });

  test.each(['', 'null', '[]', '{}', '{"entry":{}}', '{"entry":['])(
    'rejects a body without a list of entries: %s',
    (body) => {
      expect(readWebhookPayload(body, scope)).toBeUndefined();
    },
  );

  test('rejects a body that is nested too deeply', () => {
    expect(readWebhookPayload('['.repeat(100_000), scope)).toBeUndefined();
  });

  test('never throws, whatever JSON arrives, and returns only changes of listed accounts', () => {
    const junk = fc.jsonValue({ maxDepth: 1 });
    const id = fc.oneof(fc.constantFrom(accountId, '1', 1), junk);
    const some = { requiredKeys: [] };
    const value = fc.record({ id, media_id: id, media: fc.record({ id }, some), from: junk }, some);
    const field = fc.oneof(
      fc.constantFrom('comments', 'live_comments', 'mentions', 'story_insights', '__proto__'),
      junk,
    );
    const change = fc.oneof(junk, fc.record({ field, value: fc.oneof(value, junk) }, some));
    const lists = { changes: fc.array(change), changed_fields: fc.array(junk) };
    const part = fc.oneof(
      junk,
      fc.record({ id, time: junk, field, value, ...lists }, some),
      fc.record({ id, changes: fc.array(change) }),
    );
    fc.assert(
      fc.property(fc.array(part), (entry) => {
        const { changes } = read({ object: 'instagram', entry }) ?? { changes: [] };
        for (const { key, accountId: listed, value: found } of changes) {
          expect(scope.accounts.has(listed)).toBe(true);
          expect(key).toMatch(/^\d{1,25}\/[a-z_]+\/\d{1,25}(?::\d{1,25})?$/);
          expect(Object.keys(found).length).toBeGreaterThan(0);
        }
      }),
    );
  });

  test('never throws for a text that is cut or altered anywhere', () => {
    const text = JSON.stringify(fixture('comments_real'));
    fc.assert(
      fc.property(fc.nat(text.length), fc.string(), (at, inserted) => {
        readWebhookPayload(text.slice(0, at) + inserted, scope);
        readWebhookPayload(text.slice(0, at) + inserted + text.slice(at), scope);
      }),
    );
  });
});
