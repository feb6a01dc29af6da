import { describe, expect, it } from '@jest/globals';
import type { Json, JsonObject } from '../../../../sandbox/graph-api/json.ts';
import type { Comment } from '../../../../sandbox/graph-api/world/model.ts';
import { truthOf } from '../../../../sandbox/graph-api/truth.ts';
import { NOW, type Asked, listOf, textOf, standingWorld, startAsking } from './asking.ts';

const accountOf = (asked: Asked, index = 0) => asked.world.accounts[index]?.id ?? '';

function discussed({ world }: Asked) {
  const nowMs = world.clock.now();
  const media = world.accounts[0]?.media.find((one) => one.comments(nowMs).length > 60);
  const comments = media?.comments(nowMs) ?? [];
  return { id: media?.id ?? '', count: Number(media?.fields(nowMs)['comments_count']), comments };
}

/** A comment with two replies or more. */
function replied(asked: Asked): Comment {
  const found = discussed(asked).comments.find(({ replies }) => replies.length > 1);
  if (found === undefined) throw new Error('no comment has two replies');
  return found;
}

describe('simulator comments', () => {
  it('list the newest first, with timestamp, text and id, at most fifty per page', async () => {
    await using asked = await startAsking();
    const { id, comments } = discussed(asked);

    const { body } = await asked.ask(`/${id}/comments`, { limit: '100' });

    expect(listOf(body)).toHaveLength(50);
    expect(Object.keys(listOf(body)[0] ?? {})).toEqual(['timestamp', 'text', 'id']);
    const times = listOf(body).map(({ timestamp }) => textOf(timestamp));
    expect(times).toEqual([...times].sort().reverse());
    expect(listOf(body).map((one) => one['id'])).toEqual(
      comments.slice(0, 50).map((comment) => comment.id),
    );
  });

  it('list fewer than the media counts, and replies only when the fields name them', async () => {
    await using asked = await startAsking();
    const { id, count, comments } = discussed(asked);

    const { body } = await asked.ask(`/${id}/comments`, {
      fields: 'id,username,like_count,replies{id,text,parent_id}',
      limit: '50',
    });
    const replied = listOf(body).find((one) => 'replies' in one);
    const replies = listOf(replied?.['replies'] as JsonObject);

    const all = comments.reduce((sum, comment) => sum + 1 + comment.replies.length, 0);
    expect(all).toBeLessThanOrEqual(count);
    expect(comments.length).toBeLessThan(count);
    expect(replies[0]).toMatchObject({ parent_id: replied?.['id'] });
    expect(listOf(body).some((one) => !('replies' in one))).toBe(true);
  });

  it('list the replies to a comment by cursor', async () => {
    await using asked = await startAsking();
    const { id, replies } = replied(asked);
    const path = `/${id}/replies`;

    const { body } = await asked.ask(path, { limit: '1' });
    const { after } = (body['paging'] as unknown as { cursors: { after: string } }).cursors;
    const second = await asked.ask(path, { fields: 'id,parent_id', limit: '1', after });

    expect(listOf(body).map((one) => one['id'])).toEqual([replies[0]?.id]);
    expect(listOf(second.body)).toEqual([{ id: replies[1]?.id, parent_id: id }]);
    expect(Object.keys(asked.api.ledger.byEndpoint())).toEqual(['/{comment}/replies']);
  });

  it('answer a comment and a reply by id', async () => {
    await using asked = await startAsking();
    const { id, username, replies } = replied(asked);
    const fields = 'username,parent_id';

    const comment = await asked.ask(`/${id}`, { fields });
    const reply = await asked.ask(`/${textOf(replies[0]?.id)}`, { fields });

    expect(comment.body).toEqual({ username, id });
    expect(reply.body).toEqual({
      username: replies[0]?.username,
      parent_id: id,
      id: replies[0]?.id,
    });
  });

  it('are rejected, as an edge and as a field, for an account without the permission', async () => {
    await using asked = await startAsking();
    const { id, comments } = discussed(asked);
    asked.world.conditions.set({ deniedEdges: { [accountOf(asked)]: ['comments'] } });
    const fields = 'comments.limit(5){id}';

    for (const [path, query] of [
      [`/${id}/comments`, {}],
      [`/${comments[0]?.id ?? ''}/replies`, {}],
      [`/${id}`, { fields }],
    ] as const) {
      expect((await asked.refusal(path, query)).slice(0, 2)).toEqual([400, 10]);
    }
    expect((await asked.ask(`/${id}`, { fields: 'comments_count' })).status).toBe(200);
  });

  it('are complete when every cursor is followed to the end', async () => {
    await using asked = await startAsking();
    const { id, comments } = discussed(asked);
    const ids: unknown[] = [];
    let after = '';
    for (let more = true; more;) {
      const { body } = await asked.ask(`/${id}/comments`, { limit: '50', ...(after && { after }) });
      ids.push(...listOf(body).map((one) => one['id']));
      const paging = body['paging'] as { cursors: { after: string }; next?: string };
      more = paging.next !== undefined;
      after = paging.cursors.after;
    }

    expect(ids).toEqual(comments.map((comment) => comment.id));
  });

  it('omit the field for media without comments', async () => {
    await using asked = await startAsking();
    const { body } = await asked.ask(`/${accountOf(asked)}/media`, {
      fields: 'id,comments_count,comments.limit(3){id}',
      limit: '100',
    });
    const closed = listOf(body).filter((one) => one['comments_count'] === 0);
    const open = listOf(body).find((one) => 'comments' in one);

    expect(closed.length).toBeGreaterThan(0);
    expect(closed.some((one) => 'comments' in one)).toBe(false);
    expect(listOf(open?.['comments'] as JsonObject).length).toBeLessThanOrEqual(3);
  });

  it('stay unchanged while newer comments are added', async () => {
    await using asked = await startAsking();
    const newest = asked.world.accounts[0]?.media[0];
    const at = (nowMs: number) =>
      newest?.comments(nowMs).map(({ id, createdAtMs }) => [id, createdAtMs]) ?? [];
    const nowMs = asked.world.clock.now();
    const before = at(nowMs);
    const later = at(nowMs + 5 * 86_400_000);

    expect(later.length).toBeGreaterThan(before.length);
    expect(later.slice(later.length - before.length)).toEqual(before);
    expect(before.every(([, createdAtMs]) => Number(createdAtMs) <= nowMs)).toBe(true);
  });
});

describe('simulator content of other accounts', () => {
  it('includes tagging posts in the truth when they are requested', async () => {
    await using asked = await startAsking();
    const listed = await asked.ask(`/${accountOf(asked)}/tags`, {
      fields: 'id,username,caption,comments_count,like_count,timestamp,permalink',
    });
    const { body } = await asked.admin('GET', 'truth?foreign');
    const [account] = body['accounts'] as unknown as readonly JsonObject[];
    const { tags } = account?.['foreign'] as unknown as { readonly tags: readonly JsonObject[] };

    expect(tags.map((tag, index) => ({ ...tag, ...listOf(listed.body)[index] }))).toEqual(tags);
    expect(tags[0]).not.toHaveProperty('owner');
  });

  it('lists posts that tag the account, without insights', async () => {
    await using asked = await startAsking();
    const path = `/${accountOf(asked)}/tags`;

    const { body } = await asked.ask(path, { fields: 'id,username,caption,owner' });

    expect(listOf(body).length).toBeGreaterThanOrEqual(5);
    expect(Object.keys(listOf(body)[0] ?? {})).toEqual(['id', 'username', 'caption']);
    expect(listOf(body)[0]?.['username']).toMatch(/^friend_/);
    expect((await asked.refusal(path, { fields: 'insights.metric(reach)' }))[1]).toBe(10);
    expect((await asked.refusal(`/${textOf(listOf(body)[0]?.['id'])}`))[2]).toBe(33);
  });

  const collaborations = (asked: Asked) => `/${accountOf(asked)}/collaborative_media`;

  it('includes collaborative media with the fields that a collaborator can read, without insights', async () => {
    await using asked = await startAsking();
    const path = collaborations(asked);
    const fields = 'id,username,saved_count,total_like_count,owner';

    const { body } = await asked.ask(path, { fields, since: NOW });
    const admin = await asked.admin('GET', 'truth?foreign');
    const [account] = admin.body['accounts'] as unknown as readonly JsonObject[];

    expect(Object.keys(listOf(body)[0] ?? {})).toEqual(fields.split(',').slice(0, 4));
    expect(listOf(body)).toHaveLength(4);
    expect(account?.['foreign']).toMatchObject({ collaborative_media: listOf(body) });
    expect((await asked.refusal(path, { fields: 'insights.metric(reach)' }))[1]).toBe(10);
  });

  it('has at most 50 collaborative media a page, fewer when more are too much data', async () => {
    await using asked = await startAsking();
    const path = collaborations(asked);
    asked.world.clock.advance(200 * 86_400_000);

    const { body } = await asked.ask(path, { limit: '100' });
    asked.world.conditions.set({ tooMuchData: 15 });

    expect(listOf(body)).toHaveLength(50);
    expect(body['paging']).toHaveProperty('next');
    expect((await asked.refusal(path, { limit: '20' })).slice(0, 3)).toEqual([500, 1, 99]);
    expect(listOf((await asked.ask(path, { limit: '15' })).body)).toHaveLength(15);
  });

  it('lacks collaborative media with Instagram Login', async () => {
    await using asked = await startAsking();
    const token = asked.world.accounts[0]?.instagramToken ?? '';

    expect((await asked.refusal(collaborations(asked), { access_token: token }))[1]).toBe(2500);
  });

  it('is rejected for an edge that the account is denied', async () => {
    await using asked = await startAsking();
    asked.world.conditions.set({ deniedEdges: { [accountOf(asked)]: ['tags'] } });

    expect((await asked.refusal(`/${accountOf(asked)}/tags`)).slice(0, 2)).toEqual([400, 10]);
    expect((await asked.ask(`/${accountOf(asked, 1)}/tags`)).status).toBe(200);
  });

  it('includes a media that mentions the account', async () => {
    await using asked = await startAsking();
    const tagged =
      asked.world.accounts[0]?.foreignMediaAt('tags', asked.world.clock.now())?.[0]?.id ?? '';

    const { body } = await asked.ask(`/${accountOf(asked)}`, {
      fields: `mentioned_media.media_id(${tagged}){caption,media_type}`,
    });

    expect(Object.keys(body['mentioned_media'] as JsonObject)).toEqual([
      'caption',
      'media_type',
      'id',
    ]);
    expect(
      (await asked.refusal(`/${accountOf(asked)}`, { fields: 'mentioned_media.media_id(1)' }))[2],
    ).toBe(33);
  });

  it('includes a business found by name, with cursors and without next, as a call of the app', async () => {
    await using asked = await startAsking();
    const username = textOf(asked.world.accounts[1]?.user['username']);
    const ask = (media: string) =>
      asked.ask(`/${accountOf(asked)}`, {
        fields: `business_discovery.username(${username}){followers_count,${media}{id,view_count}}`,
      });

    const first = await ask('media.limit(3)');
    const found = first.body['business_discovery'] as unknown as {
      id: string;
      media: { data: readonly JsonObject[]; paging: { cursors: { after: string } } };
    };
    const second = await ask(`media.after(${found.media.paging.cursors.after}).limit(3)`);

    expect(found.id).toBe(accountOf(asked, 1));
    expect(Object.keys(found.media.paging)).toEqual(['cursors']);
    expect(found.media.data.filter((one) => 'view_count' in one)).toHaveLength(1);
    expect(second.text).toContain(asked.world.accounts[1]?.media[3]?.id);
    expect(first.headers.get('x-app-usage')).not.toBeNull();
    expect(first.headers.get('x-business-use-case-usage')).toBeNull();
  });

  it('includes no business of an unknown name', async () => {
    await using asked = await startAsking();

    const refusal = await asked.refusal(`/${accountOf(asked)}`, {
      fields: 'business_discovery.username(nobody){id}',
    });

    expect(refusal).toEqual([400, 110, 2_207_013, 'Invalid user id']);
  });

  it('includes the publishing limit of the account', async () => {
    await using asked = await startAsking();
    const path = `/${accountOf(asked)}/content_publishing_limit`;

    const { body } = await asked.ask(path, { fields: 'config,quota_usage' });

    expect(body).toEqual({
      data: [{ quota_usage: 0, config: { quota_total: 100, quota_duration: 86_400 } }],
    });
  });
});

describe('simulator truth', () => {
  it('includes comments and daily totals when they are requested', async () => {
    await using asked = await startAsking(standingWorld({ insightsDays: 5 }));
    const account = accountOf(asked);
    const [plain] = truthOf(asked.world)['accounts'] as unknown as readonly JsonObject[];
    const { body } = await asked.admin('GET', 'truth?comments&totals');
    const [full] = body['accounts'] as unknown as readonly JsonObject[];
    const [day] = full?.['totals'] as unknown as readonly JsonObject[];
    const media = full?.['media'] as unknown as readonly JsonObject[];

    const answer = await asked.ask(`/${account}/insights`, {
      metric: 'views',
      period: 'day',
      metric_type: 'total_value',
      since: String(Date.parse(textOf(day?.['end_time'])) / 1000 - 3600),
      until: String(Date.parse(textOf(day?.['end_time'])) / 1000 + 3600),
    });

    expect(plain).not.toHaveProperty('totals');
    expect(full?.['totals']).toHaveLength(5);
    expect(listOf(answer.body)[0]?.['total_value']).toEqual({ value: day?.['views'] });
    expect(Object.keys(day?.['follows_and_unfollows'] as JsonObject)).toEqual([
      'FOLLOWER',
      'NON_FOLLOWER',
    ]);
    expect(media.some((one) => (one['comments'] as unknown as readonly Json[]).length > 0)).toBe(
      true,
    );
  });
});
