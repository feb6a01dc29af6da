import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type TokenSite, startTokenSite } from './token-site.ts';

let site: TokenSite;
beforeAll(async () => {
  site = await startTokenSite();
});
afterAll(async () => {
  await site[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await fetch(`${site.api.url}/_sandbox/world`, { method: 'DELETE' });
  site.api.webhooks.reset();
});

const streams = 'default,comments';
const facebook = () => ({ INSTAGRAM_ACCESS_TOKEN: site.world.token, STREAMS: streams });
const instagram = () => ({
  INSTAGRAM_LOGIN: 'instagram',
  INSTAGRAM_ACCESS_TOKEN: site.world.accounts.map(({ instagramToken }) => instagramToken).join(','),
  STREAMS: streams,
});
/** The ids of the two accounts. */
function accountIds(): readonly [string, string] {
  const [first, second] = site.world.accounts;
  return [first?.id ?? '', second?.id ?? ''];
}

const secrets = () => [
  site.world.token,
  site.world.app.clientSecret,
  ...site.world.pages.map(({ token }) => token),
  ...site.world.accounts.map(({ instagramToken }) => instagramToken),
];

async function run(args: string, env: Record<string, string>) {
  const finished = await site.run(['webhooks', ...args.split(' ')], { env });
  const output = `${finished.stdout}${finished.stderr}`;
  expect(secrets().filter((secret) => output.includes(secret))).toEqual([]);
  return finished;
}

describe('the command webhooks', () => {
  test('subscribes the page of each account with Facebook Login, and removes it again', async () => {
    const { subscriptions } = site.api.webhooks;
    const pages = site.world.accounts.map(({ pageId }) => pageId);
    const before = await run('status', facebook());
    expect([before.exitCode, before.stdout]).toEqual([
      3,
      expect.stringMatching(/ no subscription +the field feed of its page\n/),
    ]);

    const { exitCode, stdout } = await run('subscribe', facebook());
    expect(stdout).toMatch(/^ACCOUNT +NAME +PAGE SUBSCRIBED TO +MISSING\n\d+ +\S+ +feed +-\n/);
    expect(exitCode).toBe(0);
    expect(Object.fromEntries(subscriptions)).toEqual(
      Object.fromEntries(pages.map((id) => [id, ['feed']])),
    );
    expect((await run('status', facebook())).exitCode).toBe(0);

    const after = await run('unsubscribe', facebook());
    expect(after.exitCode).toBe(0);
    expect(after.stdout).toMatch(/^ACCOUNT +NAME +PAGE SUBSCRIBED TO\n\d+ +\S+ +no subscription\n/);
    expect(subscriptions.size).toBe(0);
  });

  test('adds the fields of the enabled streams with Instagram Login, and keeps others', async () => {
    const { subscriptions } = site.api.webhooks;
    const [first, second] = accountIds();
    subscriptions.set(first, ['messages', 'comments']);
    const status = await run('status --json', instagram());
    expect(JSON.parse(status.stdout)).toMatchObject([
      { account: first, fields: ['messages', 'comments'], missing: ['live_comments'] },
      { account: second, fields: null, missing: ['comments', 'live_comments'] },
    ]);

    expect((await run('subscribe', instagram())).exitCode).toBe(0);
    expect(subscriptions.get(first)).toEqual(['messages', 'comments', 'live_comments']);
    expect(subscriptions.get(second)).toEqual(['comments', 'live_comments']);

    expect((await run('unsubscribe', instagram())).exitCode).toBe(0);
    expect(subscriptions.get(first)).toEqual(['messages']);
    expect(subscriptions.has(second)).toBe(false);
  });

  test('changes the named accounts and fields only', async () => {
    const { subscriptions } = site.api.webhooks;
    const [, second] = accountIds();
    const args = `subscribe --account ${second} --fields messages`;
    // One token reaches one account: the other token must not cost the named account.
    const { exitCode } = await run(args, instagram());
    expect(exitCode).toBe(0);
    expect(Object.fromEntries(subscriptions)).toEqual({ [second]: ['messages'] });
  });

  test('names the error of one account, and subscribes the others', async () => {
    const { tokens, pages } = site.world;
    const [page] = pages;
    tokens.set(page?.token ?? '', { scopes: [] });
    const { exitCode, stdout } = await run('subscribe', facebook());
    expect(exitCode).toBe(3);
    expect(stdout).toMatch(/\d+: graph\.permission: /);
    expect(site.api.webhooks.subscriptions.size).toBe(1);
  });

  test('exits with 3 and the reason when Meta rejects a field of Instagram for a page', async () => {
    const { exitCode, stdout } = await run('subscribe --fields comments', facebook());
    expect([exitCode, stdout]).toEqual([3, expect.stringMatching(/must be one of \{feed/)]);
  });

  test('rejects fields that are no names', async () => {
    const { exitCode, stderr } = await run('subscribe --fields Comments!', facebook());
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(/--fields "Comments!": expected/),
    ]);
  });
});
