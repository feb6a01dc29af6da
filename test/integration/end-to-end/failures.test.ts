import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerResponse } from 'node:http';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { type HttpServer, type SeenRequest, startHttpServer } from '../../support/http-server.ts';
import { type Deployment, deploy } from './deployment.ts';

/** An address without a listener: the port is reserved. */
const nobody = '127.0.0.1:1';

/** A proxy to the simulator that replaces some answers. */
function distort(target: string, replace: (request: SeenRequest) => string | undefined) {
  const forward = async (request: SeenRequest, response: ServerResponse) => {
    const url = new URL(request.path, target);
    url.search = new URLSearchParams(request.query).toString();
    const authorization = request.headers.authorization ?? '';
    const answer = await fetch(url, { headers: { authorization } });
    const body = await answer.text();
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(replace(request) ?? body);
  };
  return startHttpServer((request, response) => {
    void forward(request, response);
  });
}

describe('program', () => {
  let deployment: Deployment;
  const impatient = { POLLING_ONCE_TIMEOUT: '3s', KAFKA_CONNECTION_TIMEOUT: '1s' };

  beforeAll(async () => {
    deployment = await deploy(
      createWorld({
        seed: 5,
        accounts: 2,
        smallAccounts: 0,
        mediaPerAccount: 8,
        storiesPerAccount: 1,
        insightsDays: 10,
      }),
    );
  });

  afterAll(async () => {
    await deployment[Symbol.asyncDispose]();
  });

  it('exits with 3 and one line of advice on an invalid token', async () => {
    const wrong = 'EAAGnotavalidtokenatall';
    const { code, stderr, log } = await deployment.once({ INSTAGRAM_ACCESS_TOKEN: wrong });

    expect(code).toBe(3);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^graph\.token: /);
    expect(stderr).toContain('token');
    expect(stderr).toContain('code 190');
    expect(stderr).toContain('INSTAGRAM_ACCESS_TOKEN');
    expect(JSON.stringify(log) + stderr).not.toContain(wrong);
  });

  it.each([
    ['kafka', { KAFKA_BROKERS: nobody }, nobody],
    ['registry', { SCHEMA_REGISTRY_URL: `http://${nobody}` }, nobody],
    ['graph', { INSTAGRAM_BASE_URL: `http://${nobody}` }, nobody],
  ])('exits with 3 and names the address when %s is unreachable', async (name, changes, where) => {
    const { code, stderr, log } = await deployment.once({ ...impatient, ...changes });

    expect(code).toBe(3);
    expect(stderr).toContain(where);
    expect(log).toContainEqual(
      expect.objectContaining({ msg: 'dependency down', dependency: name }),
    );
  });

  it('writes a body that is not JSON to the dead letters, and publishes everything else', async () => {
    const [broken, whole] = deployment.truth().accounts.map(({ id }) => id);
    const notJson = 'Sorry, something went wrong.';
    await using api: HttpServer = await distort(deployment.api.url, ({ path }) =>
      path.endsWith(`/${broken ?? ''}/stories`) ? notJson : undefined,
    );

    const { code, stderr } = await deployment.once({ INSTAGRAM_BASE_URL: api.url });

    expect(code).toBe(3);
    expect(stderr).toContain(`account ${broken ?? ''}`);
    const letters = (await deployment.read('dead_letters')).map(({ key, value }) => [
      key,
      value?.['raw'],
    ]);
    expect(new Map(letters as [string, string][])).toEqual(
      new Map([
        [`stories/${broken ?? ''}`, notJson],
        [`story_insights/${broken ?? ''}`, notJson],
      ]),
    );
    const owners = async (role: string) =>
      new Set((await deployment.read(role)).map(({ value }) => value?.['business_account_id']));
    expect(await owners('stories')).toEqual(new Set([whole]));
    expect(await owners('media')).toEqual(new Set([broken, whole]));
  });

  it('rejects a field of a wrong type by its path, and publishes the other nodes', async () => {
    const [first] = deployment.truth().accounts[0]?.media ?? [];
    const id = String(first?.fields['id']);
    await using api: HttpServer = await distort(deployment.api.url, ({ path, query }) =>
      path.endsWith('/media') && query['fields']?.includes('caption')
        ? JSON.stringify({ data: [{ id, comments_count: 'many' }, { id: '17999999999999999' }] })
        : undefined,
    );

    const { code } = await deployment.once({ INSTAGRAM_BASE_URL: api.url, STREAMS: 'media' });

    expect(code).toBe(0);
    const letters = (await deployment.read('dead_letters')).filter(({ key }) =>
      key.startsWith('media/'),
    );
    expect(letters.map(({ value }) => value?.['path'])).toEqual([
      'comments_count',
      'comments_count',
    ]);
    const keys = (await deployment.read('media')).map(({ key }) => key);
    expect(keys).toContain('17999999999999999');
  });

  it("polls the token's own account with Instagram Login, without pages", async () => {
    const account = deployment.api.world.accounts[1];
    const { code } = await deployment.once({
      INSTAGRAM_LOGIN: 'instagram',
      INSTAGRAM_ACCESS_TOKEN: account?.instagramToken ?? '',
      KAFKA_TOPIC_TEMPLATE: `${deployment.topicOf('ig')}.{stream}`,
    });

    expect(code).toBe(0);
    const users = await deployment.read('ig.users');
    expect(users.map(({ key, value }) => [key, value?.['page_id']])).toEqual([[account?.id, null]]);
    expect(await deployment.read('ig.media')).toHaveLength(8);
    expect(await deployment.read('ig.media-insights')).toHaveLength(8);
  });

  it('is not ready until every dependency is connected, is ready then, and exits cleanly on SIGTERM', async () => {
    const url = Promise.withResolvers<string>();
    const polled = Promise.withResolvers<undefined>();
    const release = Promise.withResolvers<undefined>();
    await using api = await startHttpServer((request, response) => {
      void release.promise.then(async () => {
        const target = new URL(request.path, deployment.api.url);
        target.search = new URLSearchParams(request.query).toString();
        const authorization = request.headers.authorization ?? '';
        const answer = await fetch(target, { headers: { authorization } });
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(await answer.text());
      });
    });
    // The tests before have polled it, so that it is due an interval later.
    const env = { INSTAGRAM_BASE_URL: api.url, STREAMS: 'users', STREAM_USERS_INTERVAL: '5s' };
    const program = deployment.run(env, (entry) => {
      if (entry['msg'] === 'started') url.resolve(String(entry['url']));
      if (entry['msg'] === 'poll finished') polled.resolve(undefined);
    });
    const base = await url.promise;

    const early = await fetch(`${base}/readyz`);
    expect(early.status).toBe(503);
    expect(JSON.stringify(await early.json())).toContain('graph');
    expect((await fetch(`${base}/livez`)).status).toBe(200);

    release.resolve(undefined);
    await polled.promise;
    // The states of another partition may still be restored.
    while ((await fetch(`${base}/readyz`)).status !== 200) await sleep(20);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toMatch(/instagram_kafka_records_published_total\{stream="users"\} [12]/);

    program.process.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });
});
