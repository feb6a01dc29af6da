import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Site, dayMs, startSite } from './kept-tokens.ts';

let site: Site;
beforeEach(async () => {
  site = await startSite();
});
afterEach(async () => {
  await site[Symbol.asyncDispose]();
});

const endIn = (days: number, token = site.world.token) => {
  const nowMs = site.world.clock.now();
  site.world.tokens.set(token, { issuedAtMs: nowMs - dayMs, expiresAtMs: nowMs + days * dayMs });
};
const asked = () => site.api.ledger.entries.map(({ endpoint }) => endpoint);

describe('token of Facebook Login', () => {
  test('is reported with its expiry, which is requested from Meta once a day', async () => {
    endIn(40);
    await using kept = await site.keep({ login: 'facebook', tokens: [site.world.token] });
    await kept.advance(dayMs / 24);
    await kept.advance(dayMs);

    expect(asked()).toHaveLength(2);
    expect(kept.events[0]).toEqual({
      type: 'token',
      name: 'default',
      inUse: ['default'],
      expiresAtMs: site.world.tokens.find(site.world.token)?.expiresAtMs,
      warnAtDays: null,
      action: '',
    });
  });

  test('is reported as rejected, not as unlimited, when Meta does not know it', async () => {
    await using kept = await site.keep({ login: 'facebook', tokens: ['EAAunheardOf'] });

    expect(asked()).toEqual(['/debug_token']);
    expect(kept.events).toEqual([
      {
        type: 'token-rejected',
        name: 'default',
        rejection: {
          code: 'graph.token',
          message: expect.stringContaining('instagram-kafka login'),
        },
      },
    ]);
  });

  test('raises a warning with advice at 14, 7 and 1 days when the program cannot renew it', async () => {
    endIn(15);
    await using kept = await site.keep({ login: 'facebook', tokens: [site.world.token] });
    for (const days of [1, 7, 6, 1]) await kept.advance(days * dayMs);

    expect(kept.events).toMatchObject([
      { warnAtDays: null, action: '' },
      {
        warnAtDays: 14,
        action: expect.stringContaining('It ends in 14 days; the program renews only'),
      },
      { warnAtDays: 7, action: expect.stringContaining('instagram-kafka login') },
      { warnAtDays: 1 },
      { type: 'token-rejected', rejection: { code: 'graph.token' } },
      { warnAtDays: 0, action: expect.stringContaining('It ends within a day') },
    ]);
  });

  test('is renewed in its file before it ends, and the other tokens of the file stay unchanged', async () => {
    endIn(21);
    await site.write(`EAAother0123456789abcdefghij\n ${site.world.token},\n`);
    await chmod(site.file, 0o644);
    await using kept = await site.keep({ login: 'facebook' });
    const before = await site.read();
    await kept.advance(dayMs);

    const renewed = kept.tokens.text('2');
    expect(before).toContain(site.world.token);
    expect(await site.read()).toBe(`EAAother0123456789abcdefghij\n ${renewed},\n`);
    expect(site.world.tokens.find(renewed)?.expiresAtMs).toBe(site.world.clock.now() + 60 * dayMs);
    expect((await stat(site.file)).mode & 0o777).toBe(0o600);
    expect(kept.hidden).toEqual([renewed]);
    expect(kept.events).toContainEqual({
      type: 'token-renewal',
      name: '2',
      outcome: 'renewed',
      message: '',
    });
    const files = await readdir(dirname(site.file));
    expect(files.toSorted()).toEqual(['tokens', 'tokens.json']);
  });

  test('is exchanged at once when it is valid for only an hour', async () => {
    endIn(1 / 24);
    await site.write(site.world.token);
    await using kept = await site.keep({ login: 'facebook' });

    expect(site.world.tokens.find(kept.tokens.text(''))?.shortLived).toBe(false);
    expect(kept.tokens.text('')).not.toBe(site.world.token);
  });

  test('is renewed once when two instances share its file', async () => {
    endIn(21);
    await site.write(site.world.token);
    await using one = await site.keep({ login: 'facebook' });
    await using two = await site.keep({ login: 'facebook' });
    await Promise.all([one.advance(dayMs), two.advance(0)]);
    await Promise.all([one.advance(dayMs), two.advance(0)]);

    const exchanges = asked().filter((endpoint) => endpoint === '/oauth/access_token');
    expect(exchanges).toHaveLength(1);
    expect([...one.events, ...two.events]).not.toContainEqual(
      expect.objectContaining({ outcome: 'failed' }),
    );
  });

  test("is not renewed, and says so, when the app's id and secret are missing", async () => {
    endIn(10);
    await site.write(site.world.token);
    await using kept = await site.keep({ login: 'facebook', withoutApp: true });

    expect(kept.events).toMatchObject([
      { type: 'token', action: expect.stringContaining('only with INSTAGRAM_CLIENT_ID') },
    ]);
  });

  test('is not exchanged, and reports why, when its file cannot be written', async () => {
    // The longest possible file name: no temporary file fits beside it.
    await using narrow = await startSite('t'.repeat(255));
    const { token, clock, tokens } = narrow.world;
    tokens.set(token, { expiresAtMs: clock.now() + 10 * dayMs });
    await narrow.write(token);
    await using kept = await narrow.keep({ login: 'facebook' });

    expect(narrow.api.ledger.entries.map(({ endpoint }) => endpoint)).toEqual(['/debug_token']);
    expect(kept.tokens.text('')).toBe(token);
    expect(kept.events).toMatchObject([
      { type: 'token-renewal', outcome: 'failed' },
      { type: 'token', action: expect.stringContaining('it cannot be written (ENAMETOOLONG)') },
    ]);
  });

  test('stays in use while the exchange fails, which is reported at once and retried after hours', async () => {
    endIn(10);
    await site.write(site.world.token);
    site.api.faults.add({
      match: { endpoint: '/oauth/access_token' },
      times: 1,
      effect: { error: 'retry-later' },
    });
    await using kept = await site.keep({ login: 'facebook' });
    await kept.advance(dayMs / 24);
    const failed = kept.events.filter(({ type }) => type === 'token-renewal');
    const { action } = kept.events.find(({ type }) => type === 'token') as { action: string };
    await kept.advance(dayMs / 4);

    expect(failed).toMatchObject([{ outcome: 'failed' }]);
    expect(action).toContain("it could not be renewed: /oauth/access_token: Meta's server failed");
    expect(kept.tokens.text('')).not.toBe(site.world.token);
  });

  test('raises a warning with advice when the user must log in again to keep data access', async () => {
    const issuedAtMs = site.world.clock.now() - 84 * dayMs;
    site.world.tokens.set(site.world.token, { issuedAtMs, expiresAtMs: null });
    await using kept = await site.keep({ login: 'facebook', tokens: [site.world.token] });

    expect(kept.events).toMatchObject([
      {
        warnAtDays: 7,
        action: expect.stringMatching(/^Its access to data ends in 6 days: .* log in/),
      },
    ]);
  });
});

describe('token of Instagram Login', () => {
  const own = () => site.world.accounts[0]?.instagramToken ?? '';

  test('is renewed when it is first read from a file, which then holds its expiry', async () => {
    await site.write(`${own()}\n`);
    await using kept = await site.keep({ login: 'instagram' });
    const renewed = kept.tokens.text('');
    const restarted = await site.keep({ login: 'instagram' });
    await restarted[Symbol.asyncDispose]();

    expect(renewed).not.toBe(own());
    expect(kept.events.at(-1)).toMatchObject({
      type: 'token',
      expiresAtMs: site.world.clock.now() + 60 * dayMs,
    });
    expect(restarted.events).toMatchObject([{ type: 'token', warnAtDays: null }]);
    expect(asked()).toEqual(['/refresh_access_token']);
  });

  test('is refreshed again before it ends', async () => {
    await site.write(own());
    await using kept = await site.keep({ login: 'instagram' });
    const first = kept.tokens.text('');
    await kept.advance(39 * dayMs);
    const early = kept.tokens.text('');
    await kept.advance(dayMs);

    expect(early).toBe(first);
    expect(kept.tokens.text('')).not.toBe(first);
  });

  test('is exchanged when it is valid for only an hour', async () => {
    site.world.tokens.set(own(), { shortLived: true, expiresAtMs: site.world.clock.now() + 3.6e6 });
    await site.write(own());
    await using kept = await site.keep({ login: 'instagram' });

    expect(asked()).toEqual(['/refresh_access_token', '/access_token']);
    expect(kept.tokens.text('')).not.toBe(own());
  });

  test('stays in use without a report while it is too young, and is refreshed a day later', async () => {
    site.world.tokens.set(own(), { issuedAtMs: site.world.clock.now() });
    await site.write(own());
    await using kept = await site.keep({ login: 'instagram', withoutApp: true });
    const young = { text: kept.tokens.text(''), events: [...kept.events] };
    await kept.advance(dayMs);

    expect(young).toEqual({ text: own(), events: [] });
    expect(kept.tokens.text('')).not.toBe(own());
  });

  test('is not renewed, and is reported once, when it does not come from a file', async () => {
    await using kept = await site.keep({ login: 'instagram', tokens: [own()] });
    await kept.advance(dayMs);

    expect(asked()).toEqual([]);
    expect(kept.events).toEqual([
      {
        type: 'token-renewal',
        name: 'default',
        outcome: 'failed',
        message:
          'when it ends is not known, and the program renews only tokens that it has from a file (INSTAGRAM_ACCESS_TOKEN_FILE)',
      },
    ]);
  });

  test('is reported when its file cannot be written and its expiry is unknown', async () => {
    await using narrow = await startSite('t'.repeat(255));
    await narrow.write(own());
    await using kept = await narrow.keep({ login: 'instagram' });

    expect(kept.events).toMatchObject([
      { outcome: 'failed', message: expect.stringContaining('it cannot be written') },
    ]);
  });

  test('is renewed when the metadata beside its file is invalid', async () => {
    await site.write(own());
    await writeFile(`${site.file}.json`, '["half');
    await using kept = await site.keep({ login: 'instagram' });

    expect(kept.tokens.text('')).not.toBe(own());
  });
});
