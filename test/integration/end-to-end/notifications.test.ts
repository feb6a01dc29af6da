import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type World, createWorld } from '../../../sandbox/graph-api/world.ts';
import { signatureOf } from '../../../src/observability/notifications/webhook.ts';
import { type HttpServer, startHttpServer } from '../../support/http-server.ts';
import { type Deployment, deploy } from './deployment.ts';

const secret = 'a-key-of-the-signature';

interface Sent {
  readonly id: string;
  readonly condition: string;
  readonly status: string;
}

describe('notifications', () => {
  let world: World;
  let deployment: Deployment;
  let target: HttpServer;
  let tokens: readonly string[] = [];
  /** The status codes of the next answers; 200 after them. */
  const answers: number[] = [];
  const received: Sent[] = [];
  const waiting: { readonly isThere: () => boolean; readonly resolve: () => void }[] = [];

  const until = (isThere: () => boolean): Promise<void> =>
    isThere() ? Promise.resolve() : new Promise((resolve) => waiting.push({ isThere, resolve }));
  const wake = (): void => {
    for (const { isThere, resolve } of waiting) if (isThere()) resolve();
  };
  const nameOf = ({ condition, status }: Pick<Sent, 'condition' | 'status'>) =>
    `${condition} ${status}`;
  const hasReceived = (name: string) => received.some((one) => nameOf(one) === name);
  const reject = (...names: readonly number[]): void => {
    const badTokens = names.map((name) => [tokens[name - 1] ?? '', 'revoked'] as const);
    world.conditions.set({ badTokens: Object.fromEntries(badTokens) });
  };

  beforeAll(async () => {
    world = createWorld({
      seed: 21,
      accounts: 3,
      mediaPerAccount: 1,
      storiesPerAccount: 0,
      insightsDays: 1,
    });
    tokens = world.accounts.map(({ instagramToken }) => instagramToken);
    deployment = await deploy(world);
    target = await startHttpServer((request, response, raw) => {
      void text(raw).then((body) => {
        const status = answers.shift() ?? 200;
        const isSigned = request.headers['x-signature-256'] === signatureOf(body, secret);
        if (status === 200 && isSigned) {
          const { notifications } = JSON.parse(body) as { notifications: readonly Sent[] };
          for (const one of notifications) received.push(one);
        }
        response.writeHead(status).end();
        wake();
      });
    });
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
    await deployment[Symbol.asyncDispose]();
  });

  it('reach the topic and the webhook once when they begin and once when they end, also after a restart', async () => {
    const lines: Readonly<Record<string, unknown>>[] = [];
    const start = () =>
      deployment.run(
        {
          INSTAGRAM_LOGIN: 'instagram',
          INSTAGRAM_ACCESS_TOKEN: tokens.join(','),
          INSTAGRAM_ACCOUNTS_REFRESH: '1s',
          STREAMS: 'users',
          STREAM_USERS_INTERVAL: '1s',
          NOTIFICATIONS_WEBHOOK_URL: `${target.url}/hook/with-a-secret`,
          NOTIFICATIONS_WEBHOOK_SECRET: secret,
        },
        (entry) => {
          lines.push(entry);
          wake();
        },
      );
    const polled = () => lines.filter(({ msg }) => msg === 'poll finished').length;
    answers.push(503, 503);

    const first = start();
    await until(() => polled() >= 3);
    reject(2);
    await until(() => hasReceived('token-rejected/2 open'));
    await first[Symbol.asyncDispose]();
    const second = start();
    const before = polled();
    await until(() => polled() > before);
    reject(2, 3);
    await until(() => hasReceived('token-rejected/3 open'));
    reject(3);
    await until(() => hasReceived('token-rejected/2 resolved'));
    await second[Symbol.asyncDispose]();

    const names = ['token-rejected/2 open', 'token-rejected/3 open', 'token-rejected/2 resolved'];
    expect(received.map(nameOf)).toEqual(names);
    expect(received[2]?.id).toBe(received[0]?.id);
    const records = await deployment.read('notifications');
    expect(records.map(({ value }) => nameOf(value as unknown as Sent))).toEqual(names);
    expect(records.map(({ key }) => key)).toEqual(received.map(({ condition }) => condition));
    const away = lines.filter(({ msg, level }) => {
      return msg === 'notifications not delivered' && level === 'warn';
    });
    expect(away).toMatchObject([{ target: 'webhook', reason: 'it answers with HTTP 503' }]);
    expect(lines.filter(({ msg }) => msg === 'notifications delivered again')).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain('with-a-secret');
    expect(JSON.stringify(lines)).not.toContain(secret);
  });
});
