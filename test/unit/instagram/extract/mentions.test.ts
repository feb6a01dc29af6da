import { describe, expect, test } from '@jest/globals';
import { FailError, SkipError } from '../../../../src/engine/errors.ts';
import { type Checkpoint, emptyCheckpoint } from '../../../../src/engine/state.ts';
import type { WebhookChange } from '../../../../src/engine/webhooks.ts';
import { streams } from '../../../../src/instagram/streams/index.ts';
import { account } from '../../../support/accounts.ts';
import { type Answer, answersInTurn, createFakeGraph } from '../../../support/fake-graph.ts';
import { extractAll } from './extracting.ts';

const { mentions } = streams;
const mediaFields = 'id,caption,comments_count,like_count,media_type,media_url,timestamp,username';
const commentFields = 'id,like_count,text,timestamp,username';

const change = (value: WebhookChange['value']): WebhookChange => ({
  key: `${account.id}/mentions/${JSON.stringify(value)}`,
  accountId: account.id,
  stream: 'mentions',
  field: 'mentions',
  sentMs: 0,
  value,
});
const inCaption = change({ media_id: '18' });
const inComment = change({ media_id: '18', comment_id: '19' });

async function publish(
  changes: readonly WebhookChange[] | undefined,
  answers: readonly Answer[],
  checkpoint: Partial<Checkpoint> = {},
) {
  const before = { ...emptyCheckpoint, ...checkpoint };
  const graph = createFakeGraph(answersInTurn(...answers));
  const { pages, nodes, error } = await extractAll(mentions, graph, {
    checkpoint: before,
    changes,
  });
  const [page] = pages;
  return { graph, nodes, error, page, checkpoint: { ...before, ...page?.checkpointUpdate } };
}

describe('a mention that a webhook reports', () => {
  test('is read through the account: the media for a caption, the comment for a comment', async () => {
    const { graph, nodes, page } = await publish(
      [inCaption, inComment],
      [
        { mentioned_media: { id: '18', caption: '@us' }, id: account.id },
        { mentioned_comment: { id: '19', text: '@us too' }, id: account.id },
      ],
    );

    expect(graph.requests.map(({ endpoint, query }) => [endpoint, query])).toEqual([
      ['/{account}', { fields: `mentioned_media.media_id(18){${mediaFields}}` }],
      ['/{account}', { fields: `mentioned_comment.comment_id(19){${commentFields}}` }],
    ]);
    expect(nodes).toEqual([
      { id: '18', caption: '@us', media_id: '18', comment_id: null },
      { id: '19', text: '@us too', media_id: '18', comment_id: '19' },
    ]);
    expect(page?.processed).toEqual([inCaption.key, inComment.key]);
  });

  test('is read once, however often Meta repeats it', async () => {
    const answer = { mentioned_media: { id: '18' }, id: account.id };
    const { checkpoint } = await publish([inCaption], [answer]);
    const again = await publish([inCaption], [], checkpoint);

    expect([again.nodes, again.graph.requests]).toEqual([[], []]);
    expect(again.page?.processed).toEqual([inCaption.key]);
  });

  test('is counted and removed when it cannot be read, and kept when the request failed', async () => {
    const gone = new SkipError('graph.ambiguous', 'does not exist', []);
    const failed = new FailError('graph.refused', 'unknown');
    const { page } = await publish([inCaption, inComment], [gone, failed]);

    expect(page?.skipped).toEqual([{ reason: 'graph.ambiguous', subject: '18' }]);
    expect(page?.processed).toEqual([inCaption.key]);
    expect((await publish([inComment], [failed])).error).toBe(failed);
  });

  test('keeps its ten thousand latest mentions as published', async () => {
    const published = new Map(Array.from({ length: 10_000 }, (_, index) => [`${index}`, 1n]));
    const answer = { mentioned_media: { id: '18000' }, id: account.id };
    const { checkpoint } = await publish([change({ media_id: '18000' })], [answer], { published });

    expect(checkpoint.published.size).toBe(10_000);
    expect([checkpoint.published.has('0'), checkpoint.published.has('18000')]).toEqual([
      false,
      true,
    ]);
  });

  test('is not requested by a poll of the schedule', async () => {
    const { graph, page } = await publish(undefined, []);

    expect([graph.requests, page]).toEqual([[], undefined]);
  });
});
