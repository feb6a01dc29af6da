import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launch, overflow, phone, violations, watch, waitUntilTrue } from './browser.ts';
import { serve, startMs, reportDay, reportTwoHours } from './served.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
});

/** The accessible names of the drawings. */
async function drawings(page: Page): Promise<readonly (string | null)[]> {
  await page.locator('#plots figure').first().waitFor();
  const all = await page.locator('#plots').getByRole('img').all();
  return await Promise.all(all.map((one) => one.getAttribute('aria-label')));
}

/** The first rows of a plot's table. */
async function tableOf(page: Page, name: string): Promise<readonly string[]> {
  await page.getByText(`As a table: ${name}`).click();
  const rows = await page.getByRole('table', { name }).getByRole('row').allInnerTexts();
  return rows.slice(0, 3).map((row) => row.replaceAll('\t', ' | '));
}

/** The heights of the bars of a plot, in pixels. */
function barHeights(page: Page, id: string): Promise<readonly number[]> {
  const heights = `(bars) => bars.map((bar) => Math.round(bar.height.baseVal.value))`;
  return page.evaluate(`(${heights})([...document.querySelectorAll('#${id} .bar')])`);
}

describe('plots of the status page', () => {
  test('show the numbers of the hours, in drawings, names and tables', async () => {
    await using open = await serve();
    reportTwoHours(open);
    const { page, problems } = await watch(browser, open.url);

    expect(await drawings(page)).toEqual([
      'Records an hour: 39 in this hour so far, 1,239 in all; most from 05:00 to 06:00: 1,200',
      'API calls an hour: 7 in this hour so far, 47 in all; most from 05:00 to 06:00: 40',
      'Quota used: now account 17841400000000001 81 %, app 34 %',
      'Duration of polls: median 0.5 s, longest 2 min, from 06:00 to 07:00; longest of all: 2 min',
    ]);
    const heights = await barHeights(page, 'calls');
    expect(heights).toHaveLength(24);
    expect(heights.slice(0, 22)).toEqual(Array<number>(22).fill(0));
    expect((heights[22] ?? 0) / (heights[23] ?? 1)).toBeCloseTo(40 / 7, 0);
    expect(await tableOf(page, 'Records an hour')).toEqual([
      'Hour | Records',
      '06:00 to 07:00 | 39',
      '05:00 to 06:00 | 1,200',
    ]);
    expect(await tableOf(page, 'Quota used')).toEqual([
      'Hour | account 17841400000000001 | app',
      '06:00 to 07:00 | 81 % | 60 %',
      '05:00 to 06:00 | – | 60 %',
    ]);
    expect(await tableOf(page, 'Duration of polls')).toEqual([
      'Hour | Polls | Median | Longest',
      '06:00 to 07:00 | 2 | 0.5 s | 2 min',
      '05:00 to 06:00 | 1 | 2 s | 2 s',
    ]);
    expect(problems).toEqual([]);
  });

  test('show one stream when it is chosen, also after a refresh', async () => {
    await using open = await serve();
    reportTwoHours(open);
    const { page } = await watch(browser, open.url);
    await page.locator('#plots figure').first().waitFor();

    await page.getByRole('combobox', { name: 'Stream' }).selectOption('stories');
    open.setNowMs(startMs + 60_000);
    open.telemetry.report({ type: 'committed', stream: 'stories', records: 6, deadLetters: 0 });
    await page.clock.fastForward(60_000);
    await page.getByText('11 in this hour so far, 11 in all').waitFor();

    expect((await drawings(page))[3]).toContain('median 0.5 s, longest 2 min');
    await page.getByRole('combobox', { name: 'Stream' }).selectOption('user_insights');
    expect(await page.locator('#records').innerText()).toContain(
      'Waits for the first published record.',
    );
  });

  test('name the missing data while there is nothing to draw', async () => {
    await using open = await serve();
    const { page } = await watch(browser, open.url);

    await page.getByText('Waits for the first published record.').waitFor();
    await page.getByText('Waits for the first call of the API.').waitFor();
    await page.locator('#plots').getByText('The API has reported no usage yet.').waitFor();
    await page.getByText('Waits for the end of the first poll.').waitFor();
    expect(await page.locator('#plots').getByRole('img').count()).toBe(0);
    expect(await violations(page, '#plots')).toEqual([]);
  });

  test('report that they are not up to date while requests for the history fail', async () => {
    await using open = await serve();
    reportTwoHours(open);
    const { page } = await watch(browser, open.url);
    await page.locator('#plots figure').first().waitFor();

    await page.route('**/status/history', (route) => route.abort());
    await page.clock.fastForward(60_000);
    await page.getByText('The plots are not up to date').waitFor();
    expect(await drawings(page)).toHaveLength(4);

    await page.unroute('**/status/history');
    await page.clock.fastForward(60_000);
    await page.getByText('The plots are not up to date').waitFor({ state: 'detached' });
  });

  test('keep an open table and its focus over a refresh', async () => {
    await using open = await serve();
    reportTwoHours(open);
    const { page } = await watch(browser, open.url);
    const summary = page.getByText('As a table: API calls an hour');

    await summary.focus();
    await page.keyboard.press('Enter');
    const request = { type: 'request', endpoint: '/', calls: 100, outcome: 'ok' } as const;
    open.telemetry.report({ ...request, durationMs: 5 });
    await page.clock.fastForward(60_000);
    await page.getByText('107 in this hour so far').waitFor();

    expect(await page.getByRole('table', { name: 'API calls an hour' }).isVisible()).toBe(true);
    expect(await page.evaluate('document.activeElement.tagName')).toBe('SUMMARY');
  });

  test('fit a screen of 360 pixels and follow its width, with tables open and five scopes', async () => {
    await using open = await serve();
    reportTwoHours(open);
    reportDay(open);
    for (const id of ['1', '2', '3']) {
      const scope = { kind: 'account', id: id.repeat(17) } as const;
      open.telemetry.report({ type: 'scope', scope, percent: 90, state: 'free', untilMs: null });
    }
    const viewport = { width: 360, height: 800 };
    const { page } = await watch(browser, open.url, { ...phone, viewport });
    await page.locator('#plots figure').first().waitFor();

    for (const summary of await page.locator('summary').all()) await summary.click();
    expect(await overflow(page)).toBe(0);
    expect(await page.locator('#usage li').count()).toBe(5);
    await page.setViewportSize({ width: 700, height: 800 });
    await waitUntilTrue(page, 'document.querySelector("#records svg").clientWidth > 500');
    expect(await violations(page, '#plots')).toEqual([]);
  });
});
