import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../../../sandbox/cluster/readiness.ts';
import { truthOf } from '../../../sandbox/graph-api/truth.ts';
import { type World, createWorld } from '../../../sandbox/graph-api/world.ts';
import type { Program } from '../../../sandbox/program.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { type Deployment, DAY_MS, comparable, deploy } from './deployment.ts';
import { type TrueAccount, expectedComments } from './expected-more.ts';

type Line = Readonly<Record<string, unknown>>;

interface Delivered {
  readonly field: string;
  readonly value: Readonly<Record<string, unknown>>;
}

const isOfWebhook = (line: Line): boolean =>
  line['msg'] === 'poll finished' && line['trigger'] === 'webhook';

const streams = ['comments', 'mentions', 'stories', 'story_insights'] as const;

/** Two instances that share the accounts; one of them receives all webhooks. */
describe('webhooks through Kafka', () => {
  let world: World;
  let deployment: Deployment;
  let accounts: readonly TrueAccount[];
  let callbackUrl = '';
  let instances: readonly Program[] = [];
  const lines: Line[] = [];
  const waiting: { readonly isThere: () => boolean; readonly resolve: () => void }[] = [];

  const until = (isThere: () => boolean): Promise<void> =>
    isThere() ? Promise.resolve() : new Promise((resolve) => waiting.push({ isThere, resolve }));
  const count = (msg: string, stream: string): number =>
    lines.filter((line) => line['msg'] === msg && line['stream'] === stream).length;
  const start = (instance: string): Program => {
    const env = {
      ...deployment.env,
      STREAMS: streams.join(','),
      // Webhooks alone bring what happens after the first polls.
      ...Object.fromEntries(
        streams.map((name) => [`STREAM_${name.toUpperCase()}_INTERVAL`, '24h'] as const),
      ),
      INSTAGRAM_CLIENT_SECRET: world.app.clientSecret,
      WEBHOOK_RECEIVER_PORT: '0',
      WEBHOOK_RECEIVER_HOST: '127.0.0.1',
      WEBHOOK_RECEIVER_VERIFY_TOKEN: 'a-token-of-the-handshake',
      POLLING_INSTANCE: instance,
      NOTIFICATIONS_ENABLED: 'false',
    };
    return deployment.runWith(env, (line) => {
      lines.push({ ...line, instance });
      if (line['msg'] === 'webhook receiver listening' && instance !== 'two') {
        callbackUrl = String(line['url']);
      }
      for (const { isThere, resolve } of waiting) if (isThere()) resolve();
    });
  };
  const keysOf = async (role: string) => (await deployment.read(role)).map(({ key }) => key);

  beforeAll(async () => {
    world = createWorld({
      seed: 34,
      accounts: 3,
      mediaPerAccount: 4,
      storiesPerAccount: 2,
      insightsDays: 1,
      // The days that pass below are in the program's past.
      now: Date.now() - 3 * DAY_MS,
    });
    deployment = await deploy(world);
    instances = [start('one'), start('two')];
    await until(() => streams.every((name) => count('poll finished', name) >= 3));
    await until(() => callbackUrl !== '');
    deployment.api.webhooks.configure({
      callbackUrl,
      verifyToken: 'a-token-of-the-handshake',
      subscribeAll: true,
      retryMs: 100,
      repeat: 1,
      reorder: true,
      forge: 'altered',
      batch: 7,
    });
    await deployment.api.webhooks.idle();
    world.clock.advance(1.5 * DAY_MS);
    deployment.api.webhooks.look();
    await deployment.api.webhooks.idle();
    const truth = truthOf(world, { comments: true });
    accounts = truth['accounts'] as unknown as readonly TrueAccount[];
  }, 180_000);

  afterAll(async () => {
    await Promise.all(instances.map((one) => one[Symbol.asyncDispose]()));
    await deployment[Symbol.asyncDispose]();
  });

  it('answer the handshake, and every signed request with 200 after a forged one with 401', () => {
    const { handshake, tries } = deployment.api.webhooks.describe() as unknown as {
      readonly handshake: string;
      readonly tries: readonly { readonly status: number; readonly forged: boolean }[];
    };
    const statuses = (isForged: boolean) =>
      new Set(tries.filter(({ forged }) => forged === isForged).map(({ status }) => status));

    expect(handshake).toBe('accepted');
    expect(statuses(true)).toEqual(new Set([401]));
    expect(statuses(false)).toEqual(new Set([200]));
  });

  it('publish each comment once, with the record that a poll makes, however often it is sent', async () => {
    const expected = new Map(accounts.flatMap((account) => expectedComments(account)));
    const records = await readAtLeast('comments', expected.size);

    expect(records.map(({ key }) => key).sort()).toEqual([...expected.keys()].sort());
    expect(new Map(records.map(({ key, value }) => [key, comparable(value)]))).toEqual(expected);
    // Both instances have published: the one that receives passes on what the other one polls.
    const publishers = lines.filter(isOfWebhook);
    expect(new Set(publishers.map(({ instance }) => instance))).toEqual(new Set(['one', 'two']));
  });

  it('publish each mention once', async () => {
    const sent = deliveredObjects('mentions');
    const keys = (await readAtLeast('mentions', sent.size)).map(({ key }) => key);

    expect(sent.size).toBeGreaterThan(0);
    expect(keys.map((key) => key.split('/').at(-1)).sort()).toEqual([...sent].sort());
  });

  it('publish exactly one last record of each story that has ended, final or with the reason', async () => {
    const sent = deliveredObjects('story_insights');
    const last = await readAtLeast('story_insights', sent.size, ({ value }) => {
      return value?.['is_final'] === true || value?.['not_final_reason'] !== null;
    });

    expect(sent.size).toBeGreaterThan(0);
    expect(last.map(({ key }) => key).sort()).toEqual([...sent].sort());
    expect(last.some(({ value }) => value?.['final_source'] === 'webhook')).toBe(true);
  });

  it('leave nothing in the inbox: a restart reads no comment again', async () => {
    const withComments = () =>
      new Set(
        lines
          .filter((line) => isOfWebhook(line) && line['stream'] === 'comments')
          .map(({ accountId }) => accountId),
      );
    const reported = withComments().size;
    await Promise.all(instances.map((one) => one[Symbol.asyncDispose]()));
    const before = deployment.api.ledger.entries.length;
    const records = (await keysOf('comments')).length;
    lines.length = 0;
    callbackUrl = '';
    instances = [start('three')];
    await until(() => callbackUrl !== '');
    await until(() => count('poll not due yet', 'comments') >= 3);
    deployment.api.webhooks.configure({ callbackUrl });
    deployment.api.webhooks.send({ again: true });
    await until(() => withComments().size === reported);

    const endpoints = deployment.api.ledger.entries.slice(before).map(({ endpoint }) => endpoint);
    expect(endpoints.filter((endpoint) => endpoint === '/{comment}')).toEqual([]);
    expect(await keysOf('comments')).toHaveLength(records);
  });

  /** Reads a topic until it has so many records; a poll that fails after a commit reports none. */
  async function readAtLeast(
    role: string,
    size: number,
    isWanted: (record: DecodedRecord) => boolean = () => true,
  ): Promise<readonly DecodedRecord[]> {
    let found: readonly DecodedRecord[] = [];
    const probe = async (): Promise<boolean> => {
      found = (await deployment.read(role)).filter(isWanted);
      return found.length >= size;
    };
    await waitUntil(probe, { subject: `${role} of webhooks`, timeoutMs: 50_000 });
    return found;
  }

  function deliveredObjects(field: string): Set<string> {
    const changes = deployment.api.webhooks.accepted.flatMap(({ text }) => {
      const body = JSON.parse(text) as { readonly entry: readonly { changes: Delivered[] }[] };
      return body.entry.flatMap((entry) => entry.changes);
    });
    const ofField = changes.filter((one) => one.field === field);
    return new Set(ofField.map(({ value }) => String(value['comment_id'] ?? value['media_id'])));
  }
});
