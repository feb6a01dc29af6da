import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { account, failed, finished } from '../unit/observability/telemetry-events.ts';
import { launch, overflow, phone, refreshed, refreshMs, violations, watch } from './browser.ts';
import { removeStoppedAccount, reportCalls, reportDay, serve, startMs } from './served.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
});

function text(page: Page, id: string): Promise<string> {
  return page.locator(`#${id}`).innerText();
}

function accountHeadings(page: Page): Promise<string[]> {
  return page.getByRole('article').getByRole('heading').allInnerTexts();
}

describe('status page', () => {
  test('shows new events without a reload', async () => {
    await using open = await serve();
    const { page, problems } = await watch(browser, open.url);
    await page.getByText('No account is polled yet.').waitFor();
    expect(await text(page, 'readiness')).toBe('Not ready');
    await page.evaluate('window.loadedOnce = true');

    reportDay(open);
    await refreshed(page);

    await page.getByText('@museum_of_letters').waitFor();
    await page.getByText('stopped by graph.token until a person acts').waitFor();
    expect(await text(page, 'readiness')).toBe('Not ready');
    removeStoppedAccount(open);
    await refreshed(page);

    expect(await text(page, 'readiness')).toBe('Ready');
    expect(await page.title()).toBe('Ready – instagram-kafka-producer');
    expect(await page.evaluate('window.loadedOnce')).toBe(true);
    expect(problems).toEqual([]);
  });

  test('shows the owned partitions, and a paused stream', async () => {
    await using open = await serve();
    reportDay(open);
    const assignment = { gained: [0, 7], lost: [], cause: 'rebalance' } as const;
    open.telemetry.report({ type: 'assignment', owned: [0, 7], partitions: 12, ...assignment });
    const pause = { pause: { sinceMs: startMs, untilMs: null }, saved: true };
    const accountId = '17841400000000001';
    open.telemetry.report({ type: 'paused', stream: 'stories', accountId, ...pause });
    const { page } = await watch(browser, open.url);
    const museum = page.getByRole('article').filter({ hasText: '@museum_of_letters' });

    const [state, , next] = await museum
      .getByRole('row', { name: 'stories' })
      .getByRole('cell')
      .allInnerTexts();

    expect([state, next]).toEqual(['Paused', 'when resumed']);
    expect(await text(page, 'connections')).toContain('2 of 12 owned');
  });

  test('shows the last success, next poll, lag and sums of each stream', async () => {
    await using open = await serve();
    reportDay(open);
    open.setNowMs(startMs + 35 * 60_000);
    const { page } = await watch(browser, open.url);
    const museum = page.getByRole('article').filter({ hasText: '@museum_of_letters' });

    const cells = await museum
      .getByRole('row', { name: 'stories' })
      .getByRole('cell')
      .allInnerTexts();

    expect(await museum.getByRole('columnheader').allInnerTexts()).toEqual([
      'Stream',
      'State',
      'Last success',
      'Next poll',
      'Lag',
      'Records',
      'Requests',
      'Dead letters',
    ]);
    expect(cells).toEqual(['OK', '30 min ago', 'in 30 min', '15 min', '3', '1', '1']);
  });

  test('shows the calls of a day of a stream, and the share that found nothing by age', async () => {
    await using open = await serve();
    reportDay(open);
    reportCalls(open);
    const { page } = await watch(browser, open.url);
    const row = page.getByRole('table', { name: 'Streams' }).getByRole('row', { name: 'media' });
    const cell = row.getByRole('cell').getByText('80 %');

    expect(await row.first().innerText()).toMatch(/\b[\d,]+\s+80 %/);
    expect(await cell.getAttribute('title')).toBe('new media 50 % of 20, old media 100 % of 30');
  });

  test('shows advice for an error, and what is left of the token and the quota', async () => {
    await using open = await serve();
    reportDay(open);
    const { page } = await watch(browser, open.url);

    const stopped = page.getByRole('article').filter({ hasText: '17841400000000003' });
    expect((await stopped.getByRole('paragraph').allInnerTexts()).slice(0, 2)).toEqual([
      'graph.token account 17841400000000003: the token has expired ([secret])',
      'What to do: Get a new token (instagram-kafka login) and replace the old one.',
    ]);
    expect(await text(page, 'connections')).toContain(
      '9 days left, until 4 Dec 2026, 18:00:00. What to do: It ends in 9 days; no ([secret]).',
    );
    expect(await text(page, 'connections')).toContain('v21.0 ends on 2027-01-21. Set a later one.');
    const quota = page.getByRole('meter', { name: 'Quota used of account 17841400000000001' });
    expect(await quota.getAttribute('value')).toBe('81');
    expect(await text(page, 'quota')).toContain('100 % · Stopped, free again in 35 min');
  });

  test('shows a rejected token as rejected, whatever its expiry', async () => {
    await using open = await serve();
    reportDay(open);
    const rejection = { code: 'graph.token', message: 'the access token was revoked' } as const;
    open.telemetry.report({ type: 'token-rejected', name: 'default', rejection });
    const { page } = await watch(browser, open.url);

    expect(await text(page, 'readiness')).toBe('Not ready');
    expect(await text(page, 'connections')).toContain(
      'Refused (graph.token): the access token was revoked. What to do: Get a new token (instagram-kafka login)',
    );
    expect(await text(page, 'connections')).not.toContain('days left');
  });

  test('loads nothing from other hosts, and violates no policy of its own', async () => {
    await using open = await serve();
    reportDay(open);
    const { page, problems, hosts } = await watch(browser, open.url);
    await page.getByText('@museum_of_letters').waitFor();
    await refreshed(page);
    await refreshed(page);

    expect(problems).toEqual([]);
    expect([...hosts]).toEqual([new URL(open.url).host]);
    expect(await page.content()).not.toContain('hush-hush');
  });

  test('runs no foreign script, and sends no request to other hosts', async () => {
    await using open = await serve();
    const { page, problems } = await watch(browser, open.url);

    const added = page.evaluate(`document.body.setAttribute('onclick', 'window.hacked = true')`);
    await expect(added).rejects.toThrow("requires 'TrustedScript' assignment");
    await page.evaluate(`fetch('http://127.0.0.1:1/').catch(() => undefined)`);

    expect(problems.join('\n')).toContain(
      `violates the following Content Security Policy directive`,
    );
    expect(problems.join('\n')).toContain(`"connect-src 'self'"`);
  });

  test('shows hostile names and messages as text', async () => {
    await using open = await serve();
    const hostile = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>';
    open.telemetry.report({
      type: 'accounts',
      added: [{ ...account('1'), username: hostile }],
      removed: [],
    });
    open.telemetry.report(failed({ stream: 'media', message: hostile }));
    const { page, problems } = await watch(browser, open.url);

    await page.getByRole('heading', { name: `@${hostile} 1` }).waitFor();
    expect(await page.getByRole('article').innerText()).toContain(`graph.server ${hostile}`);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.locator('main img').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('reports that the program does not answer, and recovers when it answers', async () => {
    await using open = await serve();
    reportDay(open);
    const { page } = await watch(browser, open.url);
    await page.getByText('@museum_of_letters').waitFor();

    await page.route('**/status?*', (route) => route.abort());
    await refreshed(page);
    await page.getByRole('alert').getByText('The program does not answer').waitFor();
    expect(await page.getByText('@museum_of_letters').isVisible()).toBe(true);

    await page.unroute('**/status?*');
    await refreshed(page);
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    expect(await page.locator('#connection').isVisible()).toBe(false);
  });

  test('stops updating when Live is off', async () => {
    await using open = await serve();
    const { page } = await watch(browser, open.url);
    await page.getByText('No account is polled yet.').waitFor();

    await page.getByRole('button', { name: 'Live' }).click();
    reportDay(open);
    await page.clock.runFor(3 * refreshMs);
    expect(await text(page, 'matches')).toBe('No account is polled yet.');
    expect(await text(page, 'updated')).toMatch(/^As it was at /);

    await page.getByRole('button', { name: 'Live' }).click();
    await page.getByText('@museum_of_letters').waitFor();
  });

  test('sends no request while it is hidden, and refreshes when it is visible again', async () => {
    await using open = await serve();
    const { page } = await watch(browser, open.url);
    await page.getByText('No account is polled yet.').waitFor();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    const change = (visibility: string): Promise<unknown> =>
      page.evaluate(`
        Object.defineProperty(document, 'visibilityState', { value: '${visibility}', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      `);

    await change('hidden');
    reportDay(open);
    await page.clock.runFor(3 * refreshMs);
    expect(await text(page, 'matches')).toBe('No account is polled yet.');
    expect(requests.filter((url) => url.includes('/status?'))).toEqual([]);

    await change('visible');
    await page.getByText('@museum_of_letters').waitFor();
  });
});

describe('status page with many accounts', () => {
  const ids = Array.from({ length: 60 }, (_, index) => String(1000 + index));

  test('pages through them and finds one, by keyboard alone', async () => {
    await using open = await serve();
    open.telemetry.report({ type: 'accounts', added: ids.map(account), removed: [] });
    const { page } = await watch(browser, open.url);
    await page.getByText('1 to 25 of 60 accounts.').waitFor();

    await page.getByRole('button', { name: 'Next' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('26 to 50 of 60 accounts.').waitFor();
    expect((await accountHeadings(page))[0]).toBe('Account 1025');

    await page.getByRole('searchbox').focus();
    await page.keyboard.type('1042');
    await page.clock.runFor(250);
    await page.getByText('1 to 1 of 1 account that match.').waitFor();
    await refreshed(page);
    expect(await page.evaluate('document.activeElement.id')).toBe('search');
  });

  test('filters the accounts that need attention', async () => {
    await using open = await serve();
    open.telemetry.report({ type: 'accounts', added: ids.map(account), removed: [] });
    open.telemetry.report(finished({ accountId: '1001', stream: 'media' }));
    open.telemetry.report(failed({ accountId: '1007', stream: 'media' }));
    const { page } = await watch(browser, open.url);

    await page.getByRole('checkbox').check();
    await page.clock.runFor(250);

    await page.getByText('1 to 1 of 1 account that match.').waitFor();
    expect(await accountHeadings(page)).toEqual(['Account 1007']);
  });
});

describe('accessible status page', () => {
  test.each([
    ['wide and light', { colorScheme: 'light' } as const],
    ['wide and dark', { colorScheme: 'dark' } as const],
    ['on a phone', { ...phone, colorScheme: 'light' } as const],
    ['on a phone and dark', { ...phone, colorScheme: 'dark' } as const],
  ])('has no violation according to axe, %s', async (_how, options) => {
    await using open = await serve();
    reportDay(open);
    const { page } = await watch(browser, open.url, options);
    await page.getByText('@museum_of_letters').waitFor();

    expect(await violations(page)).toEqual([]);
  });

  test.each([390, 320])('needs no horizontal scrolling at %i pixels', async (width) => {
    await using open = await serve();
    reportDay(open);
    open.telemetry.report({
      type: 'accounts',
      added: [{ ...account('9'), username: 'a_name_without_end'.repeat(20) }],
      removed: [],
    });
    open.telemetry.report(
      failed({ accountId: '9', stream: 'media', message: `/${'path'.repeat(80)}` }),
    );
    const { page } = await watch(browser, open.url, {
      ...phone,
      viewport: { width, height: 800 },
    });
    await page.getByText('@museum_of_letters').waitFor();

    expect(await overflow(page)).toBe(0);
  });

  test('has a table for a screen reader on a phone', async () => {
    await using open = await serve();
    reportDay(open);
    const { page } = await watch(browser, open.url, phone);

    const table = page.getByRole('table', { name: '@museum_of_letters 17841400000000001' });
    await table.waitFor();
    expect(await table.ariaSnapshot()).toContain('- row "stories OK now in 1 h none 3 1 1":');
  });

  test('announces a change of readiness to a screen reader, and nothing that stays', async () => {
    await using open = await serve();
    reportDay(open);
    removeStoppedAccount(open);
    const { page } = await watch(browser, open.url);
    await page.getByText('@museum_of_letters').waitFor();
    await page.evaluate(`
      window.announced = [];
      new MutationObserver((all) => window.announced.push(...all.map(() => readiness.textContent)))
        .observe(readiness, { childList: true, characterData: true, subtree: true });
    `);

    await refreshed(page);
    await refreshed(page);
    expect(await page.evaluate('window.announced')).toEqual([]);
    open.telemetry.report({ type: 'dependency', name: 'kafka', ready: false, reason: 'away' });
    await refreshed(page);
    await page.getByText('kafka: away').waitFor();
    expect(await page.evaluate('window.announced')).toEqual(['Not ready']);
  });
});
