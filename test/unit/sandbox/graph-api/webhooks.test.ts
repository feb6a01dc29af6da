import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import { happeningsOf } from '../../../../sandbox/graph-api/webhooks/happenings.ts';
import { createWorld } from '../../../../sandbox/graph-api/world.ts';
import { FIRST_SETTINGS } from '../../../../sandbox/graph-api/webhooks/settings.ts';
import { defaultLimits } from '../../../../src/observability/http/webhook-receiver.ts';
import { type Asked, NOW, readAnswer, standingWorld, startAsking } from './asking.ts';

interface Received {
  readonly text: string;
  readonly signature: string | undefined;
}

interface Callback extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
  /** The statuses of the next answers; 200 after them. */
  readonly statuses: number[];
}

/** A server that keeps what it receives and answers Meta's handshake. */
async function startCallback(verifyToken = 'token'): Promise<Callback> {
  const received: Received[] = [];
  const statuses: number[] = [];
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://here');
    if (request.method === 'GET') {
      const isRight = url.searchParams.get('hub.verify_token') === verifyToken;
      response.writeHead(isRight ? 200 : 403).end(url.searchParams.get('hub.challenge'));
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const header = request.headers['x-hub-signature-256'];
      const signature = typeof header === 'string' ? header : undefined;
      received.push({ text: Buffer.concat(chunks).toString(), signature });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks/instagram`,
    received,
    statuses,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Entry {
  readonly id: string;
  readonly time: number;
  readonly field?: string;
  readonly changes?: readonly { readonly field: string; readonly value: JsonObject }[];
  readonly changed_fields?: readonly string[];
}

const entriesOf = ({ text }: Received): readonly Entry[] =>
  (JSON.parse(text) as { entry: Entry[] }).entry;

const changesIn = (received: readonly Received[]) =>
  received.flatMap((one) => entriesOf(one).flatMap(({ changes = [] }) => changes));

const mention = { account: '17841400000000001', field: 'mentions', value: { media_id: '1' } };

/** A simulator whose app sends to a callback. */
async function startSending(settings: JsonObject = {}) {
  const stack = new AsyncDisposableStack();
  const callback = stack.use(await startCallback());
  const asked = stack.use(await startAsking(standingWorld({ postsPerDay: 0 })));
  const { webhooks } = asked.api;
  const own = { callbackUrl: callback.url, subscribeAll: true, retryMs: 1, ...settings };
  await asked.admin('PATCH', 'webhooks', own);
  await webhooks.idle();
  return {
    asked,
    callback,
    /** Sends an order, and waits until nothing is pending. */
    order: async (body: unknown) => {
      const { status } = await asked.admin('POST', 'webhooks', body);
      await webhooks.idle();
      return status;
    },
    advance: async (hours: number) => {
      await asked.admin('POST', 'clock', { advance_ms: hours * 3_600_000 });
      await webhooks.idle();
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function call(asked: Asked, method: string, path: string, query: Record<string, string>) {
  const url = new URL(`/v26.0${path}`, asked.api.url);
  url.search = new URLSearchParams(query).toString();
  return readAnswer(await fetch(url, { method }));
}

describe('simulated webhooks', () => {
  test('wait longer than the receiver takes for its answer, so that a slow commit is a 503', () => {
    const { requestMs, commitMs } = defaultLimits;

    expect(FIRST_SETTINGS.timeoutMs).toBeGreaterThan(requestMs + commitMs);
  });

  test('send what happens in the world, signed with the secret of the app', async () => {
    await using sending = await startSending();
    await sending.advance(30);

    const { received } = sending.callback;
    const { world } = sending.asked;
    for (const { text, signature } of received) {
      const hash = createHmac('sha256', world.app.clientSecret).update(text).digest('hex');
      expect(signature).toBe(`sha256=${hash}`);
      expect(text).not.toMatch(/[^\x20-\x7e]/);
    }
    const fields = new Set(changesIn(received).map(({ field }) => field));
    expect([...fields].sort()).toEqual(['comments', 'mentions', 'story_insights']);
    const nowMs = world.clock.now();
    const truth = world.accounts.flatMap((account) =>
      account.mediaAt(nowMs).flatMap((media) => media.comments(nowMs)),
    );
    const fresh = truth.filter(({ createdAtMs }) => createdAtMs > Date.parse(NOW));
    const sent = changesIn(received).filter(({ field }) => field === 'comments');
    const ids = sent.map(({ value }) => value['id']);
    expect(fresh.length).toBeGreaterThan(0);
    expect(ids).toEqual(expect.arrayContaining(fresh.map(({ id }) => id)));
  });

  test('report each story once, when it has ended, with -1 for numbers under five', async () => {
    await using sending = await startSending({ fields: ['story_insights'] });
    const live = sending.asked.world.accounts.flatMap(({ stories }) => stories);
    await sending.advance(13);
    await sending.advance(11);
    await sending.advance(1);

    const stories = changesIn(sending.callback.received).map(({ value }) => value);
    const ids = stories.map((value) => value['media_id']);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(live.map(({ id }) => id)));
    const numbers = stories.flatMap((value) => Object.values(value)).filter(Number.isInteger);
    expect(numbers).toContain(-1);
    expect(numbers.filter((number) => Number(number) >= 0 && Number(number) < 5)).toEqual([]);
  });

  test.each([
    [false, 0],
    [true, 1],
  ])('report a deleted story only if deletedStories is on: %s', async (deletedStories, count) => {
    await using sending = await startSending({ fields: ['story_insights'], deletedStories });
    const [story] = sending.asked.world.accounts[0]?.stories ?? [];
    await sending.asked.admin('PATCH', 'world', { deletedMedia: [story?.id] });
    await sending.advance(24);

    const ids = changesIn(sending.callback.received).map(({ value }) => value['media_id']);
    expect(ids.filter((id) => id === story?.id)).toHaveLength(count);
  });

  test('repeat a request until it is answered with 200', async () => {
    await using sending = await startSending();
    sending.callback.statuses.push(503, 500, 302);
    await sending.order({ changes: [mention] });

    const { tries } = (await sending.asked.admin('GET', 'webhooks')).body;
    expect(tries).toMatchObject([
      { attempt: 1, status: 503 },
      { attempt: 2, status: 500 },
      { attempt: 3, status: 302 },
      { attempt: 4, status: 200 },
    ]);
    expect(new Set(sending.callback.received.map(({ text }) => text)).size).toBe(1);
  });

  test('drop a request after the time of retries', async () => {
    await using sending = await startSending({ retryForMs: 0, retryMs: 1000 });
    sending.callback.statuses.push(...Array.from({ length: 9 }, () => 503));
    await sending.order({ changes: [mention] });
    expect(sending.callback.received.length).toBeLessThanOrEqual(2);
  });

  test('send again what was accepted, more than once, and in reverse order', async () => {
    await using sending = await startSending({ batch: 1, repeat: 1, reorder: true });
    const changes = ['1', '2'].map((id) => ({ ...mention, value: { media_id: id } }));
    await sending.order({ changes });
    await sending.order({ again: true });

    const ids = changesIn(sending.callback.received).map(({ value }) => value['media_id']);
    expect(ids).toEqual(['2', '2', '1', '1', '2', '2', '1', '1']);
  });

  test('report every comment once, wherever the looks fall between two seconds', () => {
    const world = createWorld({
      seed: 4711,
      accounts: 1,
      mediaPerAccount: 12,
      postsPerDay: 12,
      storiesPerAccount: 0,
      insightsDays: 1,
    });
    const startMs = world.clock.now();
    const stepMs = 75_290;
    const commentsAt = (nowMs: number) =>
      world.accounts.flatMap((account) =>
        account
          .mediaAt(nowMs)
          .flatMap((media) =>
            media
              .comments(nowMs)
              .flatMap(({ id, replies }) => [id, ...replies.map((one) => one.id)]),
          ),
      );
    const before = new Set(commentsAt(startMs));
    const reported = Array.from({ length: 400 }, (_, index) => {
      const fromMs = startMs + index * stepMs;
      const span = { fromMs, toMs: fromMs + stepMs };
      return world.accounts.flatMap((account) =>
        happeningsOf(account, 'facebook', { span, world, settings: FIRST_SETTINGS })
          .filter(({ field }) => field === 'comments')
          .map(({ value }) => value['id'] as string),
      );
    }).flat();

    const added = commentsAt(startMs + 400 * stepMs).filter((id) => !before.has(id));
    expect(added.length).toBeGreaterThan(100);
    expect(reported.sort()).toEqual(added.sort());
  });

  test.each(['secret', 'unsigned', 'altered'])(
    'send a request with a wrong signature before the real one: forge %s',
    async (forge) => {
      await using sending = await startSending({ forge });
      sending.callback.statuses.push(401);
      await sending.order({ changes: [mention] });

      const [forged, real] = sending.callback.received;
      const secret = sending.asked.world.app.clientSecret;
      const hash = (text = '') => createHmac('sha256', secret).update(text).digest('hex');
      expect(forged?.signature).not.toBe(`sha256=${hash(forged?.text)}`);
      expect(real?.signature).toBe(`sha256=${hash(real?.text)}`);
      expect(sending.callback.received).toHaveLength(2);
    },
  );

  test('use the other forms of an entry', async () => {
    await using sending = await startSending({ shape: 'flat', time: 'ms' });
    await sending.order({ changes: [mention] });
    await sending.asked.admin('PATCH', 'webhooks', { shape: 'names', time: 's' });
    await sending.order({ changes: [mention] });

    const nowMs = Date.parse(NOW);
    const id = mention.account;
    expect(sending.callback.received.flatMap((one) => [...entriesOf(one)])).toEqual([
      { id, time: nowMs, field: 'mentions', value: { media_id: '1' } },
      { id, time: nowMs / 1000, changed_fields: ['mentions'] },
    ]);
  });

  test('name the id of a comment as in the examples when commentId says so', async () => {
    await using sending = await startSending({ commentId: 'comment_id', fields: ['comments'] });
    await sending.advance(24);
    const [change] = changesIn(sending.callback.received);
    expect(change?.value).toMatchObject({ comment_id: expect.stringMatching(/^179/) });
  });

  test('send nothing to an address that fails the handshake', async () => {
    await using sending = await startSending({ verifyToken: 'another' });
    await sending.advance(30);
    expect(sending.callback.received).toEqual([]);
    await sending.asked.admin('PATCH', 'webhooks', { verifyToken: 'token' });
    await sending.asked.api.webhooks.idle();
    await sending.advance(1);
    expect(sending.callback.received.length).toBeGreaterThan(0);
  });

  test('name the position of an invalid setting', async () => {
    await using asked = await startAsking();
    const { status, body } = await asked.admin('PATCH', 'webhooks', { shape: 'round' });
    expect([status, body['error']]).toEqual([
      400,
      'shape: got "round", expected one of changes, flat, names',
    ]);
  });
});

describe('/subscribed_apps', () => {
  const subscribed_fields = 'comments,mentions';

  test('subscribes an account with Instagram Login, and an account receives nothing before', async () => {
    await using sending = await startSending({ subscribeAll: false });
    const [account] = sending.asked.world.accounts;
    const access_token = account?.instagramToken ?? '';
    const path = `/${account?.id ?? ''}/subscribed_apps`;
    const request = (method: string, query = {}) =>
      call(sending.asked, method, path, { access_token, ...query });
    await sending.advance(24);
    expect(sending.callback.received).toEqual([]);
    expect((await request('GET')).body).toEqual({ data: [] });

    expect((await request('POST', { subscribed_fields })).body).toEqual({ success: true });
    expect((await request('GET')).body['data']).toMatchObject([
      { name: 'Example app', subscribed_fields: ['comments', 'mentions'] },
    ]);
    await sending.advance(48);
    const { received } = sending.callback;
    const fields = new Set(changesIn(received).map(({ field }) => field));
    // No webhook about stories; mentions in comments come as comments.
    expect([...fields]).toEqual(['comments']);
    expect(new Set(received.flatMap((one) => entriesOf(one).map(({ id }) => id)))).toEqual(
      new Set([account?.id]),
    );

    expect((await request('DELETE')).body).toEqual({ success: true });
    expect((await request('GET')).body).toEqual({ data: [] });
  });

  test.each([
    [false, ['comments']],
    [true, []],
  ])('fieldsPerAccount narrows the fields of the app: %s', async (fieldsPerAccount, expected) => {
    await using sending = await startSending({ subscribeAll: false, fieldsPerAccount });
    const [account] = sending.asked.world.accounts;
    const query = {
      access_token: account?.instagramToken ?? '',
      subscribed_fields: 'live_comments',
    };
    await call(sending.asked, 'POST', '/me/subscribed_apps', query);
    await sending.advance(24);
    const fields = changesIn(sending.callback.received).map(({ field }) => field);
    expect([...new Set(fields)]).toEqual(expected);
  });

  test('takes the token and the fields of a page with Facebook Login', async () => {
    await using asked = await startAsking();
    const [page] = asked.world.pages;
    const path = `/${page?.id ?? ''}/subscribed_apps`;
    const request = (access_token: string, fields: string) =>
      call(asked, 'POST', path, { access_token, subscribed_fields: fields });

    expect((await request(asked.world.token, 'feed')).body['error']).toMatchObject({ code: 210 });
    expect((await request(page?.token ?? '', 'comments')).body['error']).toMatchObject({
      code: 100,
      message: expect.stringMatching(
        /^\(#100\) Param subscribed_fields\[0\] must be one of \{feed/,
      ),
    });
    expect((await request(page?.token ?? '', 'feed')).body).toEqual({ success: true });
    await asked.admin('PATCH', 'webhooks', { pageFields: 'any' });
    expect((await request(page?.token ?? '', 'comments')).body).toEqual({ success: true });
  });

  test('needs a permission', async () => {
    await using asked = await startAsking();
    const [page] = asked.world.pages;
    const access_token = page?.token ?? '';
    await asked.admin('PATCH', 'world', { tokens: { [access_token]: { scopes: [] } } });
    const path = `/${page?.id ?? ''}/subscribed_apps`;
    const query = { access_token, subscribed_fields: 'feed' };
    const { body } = await call(asked, 'POST', path, query);
    expect(body['error']).toMatchObject({ code: 10 });
  });
});

/** Comments of the oldest post that names the account, newest first. */
function commentsWithMention({ world }: Asked) {
  const [account] = world.accounts;
  const nowMs = world.clock.now();
  const media = account?.foreignMediaAt('tags', nowMs)?.at(-1);
  if (account === undefined || media === undefined) throw new Error('expected a tagged post');
  return { account, media, comments: media.comments(nowMs) };
}

describe('mentioned_comment', () => {
  test('reads a comment that names the account, and no other', async () => {
    await using asked = await startAsking();
    const { account, media, comments } = commentsWithMention(asked);
    const read = (id = '') =>
      asked.ask(`/${account.id}`, {
        fields: `mentioned_comment.comment_id(${id}){id,text,media{id},username,from}`,
      });

    const oldest = comments.at(-1);
    const { body } = await read(oldest?.id);
    expect(body['mentioned_comment']).toEqual({
      id: oldest?.id,
      text: expect.stringMatching(/^@\S+ look!$/),
      media: { id: media.id, media_product_type: media.productType },
      username: oldest?.username,
    });
    expect((await read(comments[0]?.id)).body['error']).toMatchObject({ error_subcode: 33 });
  });

  test.each([
    [false, 100],
    [true, undefined],
  ])('is read with Instagram Login only if instagramMentions is on: %s', async (is, code) => {
    await using asked = await startAsking();
    const { account, comments } = commentsWithMention(asked);
    await asked.admin('PATCH', 'world', { instagramMentions: is });
    const { body } = await asked.ask('/me', {
      access_token: account.instagramToken,
      fields: `mentioned_comment.comment_id(${comments.at(-1)?.id ?? ''}){id}`,
    });
    expect((body['error'] as JsonObject | undefined)?.['code']).toBe(code);
  });
});
