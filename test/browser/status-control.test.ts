import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { logLevels } from '../../src/observability/log.ts';
import { account } from '../unit/observability/telemetry-events.ts';
import { launch, overflow, phone, refreshed, violations, watch, waitUntilTrue } from './browser.ts';
import {
  announced,
  enterToken,
  openControl,
  press,
  serveControlled,
  token,
  visit,
} from './controlled.ts';
import { serve, startMs, reportDay, reportTwoHours } from './served.ts';

const museum = '17841400000000001';
const hourMs = 3_600_000;
const stories = 'Control: stories of @museum_of_letters';
const poll = { action: 'poll', stream: 'stories', accountId: museum, untilMs: null };

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser.close();
});

describe('status page: control', () => {
  test('polls a stream of an account, and keeps the token in memory alone', async () => {
    await using open = await serveControlled();
    const { page, problems } = await visit(browser, open);

    await openControl(page, stories);
    await press(page, 'Poll now');
    await announced(page, 'Accepted: polled now, or right after the running poll.');

    expect(open.requests).toEqual([poll]);
    const places = 'JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])';
    expect(await page.evaluate(places)).not.toContain(token);
    expect(await page.content()).not.toContain(token);
    expect(await page.locator('#token').inputValue()).toBe('');
    expect(problems).toEqual([]);
    await press(page, 'Close');
    await press(page, 'Control: media of @museum_of_letters');
    await press(page, 'Poll now');
    await announced(page, 'Accepted');
    expect(open.requests.at(-1)).toEqual({ ...poll, stream: 'media' });
    await page.reload();
    await press(page, stories);
    expect(await page.getByLabel('Control token').inputValue()).toBe('');
  });

  test('pauses a whole account until tomorrow at eight in the time zone of the browser', async () => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open);

    await openControl(page, 'Control account: all streams of @museum_of_letters');
    // From here on only a control request refreshes the page.
    await page.clock.pauseAt(Date.now() + 60_000);
    await page.getByRole('radio', { name: 'Until tomorrow, Thu 26 Nov, 08:00 GMT+1' }).check();
    const refresh = page.waitForRequest('**/status?*');
    await press(page, 'Pause');
    await announced(page, 'Paused until Thu 26 Nov, 08:00 GMT+1. 1 stream.');
    await refresh;

    const untilMs = Date.UTC(2026, 10, 26, 7);
    expect(open.requests).toEqual([{ action: 'pause', stream: null, accountId: museum, untilMs }]);
    expect(await page.locator('#zone').innerText()).toContain('Europe/Berlin');
  });

  test('pauses a stream of all accounts for an hour, and names the accounts of other instances', async () => {
    const elsewhere = [{ owner: 'host-b', accounts: 7 }];
    const answer = { kind: 'accepted', count: 3, saved: false, elsewhere } as const;
    await using open = await serveControlled({ answer });
    const { page } = await visit(browser, open);

    await openControl(page, 'Control: stories of all accounts');
    const states = await page.locator('#control-state .badge').allInnerTexts();
    expect(states).toEqual(['2 OK', '1 Stopped']);
    await page.getByRole('radio', { name: 'For an hour' }).check();
    await press(page, 'Pause');
    await announced(page, '3 accounts of this instance. Not carried out for 7 accounts of host-b.');
    await announced(page, 'Not saved yet');

    const [request] = open.requests;
    expect(request).toMatchObject({ action: 'pause', stream: 'stories', accountId: null });
    const lateMs = (request?.untilMs ?? 0) - (startMs + 5 * 60_000 + hourMs);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThan(60_000);
  });

  test('pauses until a chosen time, which must be in the future', async () => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open);
    await openControl(page, stories);
    const end = page.getByLabel('End of the pause');

    await page.getByRole('radio', { name: 'Until another time' }).check();
    await press(page, 'Pause');
    await announced(page, 'Enter the date and the time of the end.');
    await end.fill('2026-11-25T07:00');
    await press(page, 'Pause');
    await announced(page, 'Enter a time in the future.');
    expect(open.requests).toEqual([]);
    await end.fill('2026-12-01T18:30');
    await press(page, 'Pause');
    await announced(page, 'Paused until Tue 1 Dec, 18:30 GMT+1.');

    expect(open.requests).toMatchObject([{ untilMs: Date.UTC(2026, 11, 1, 17, 30) }]);
  });

  test('shows a pause with its end, and resumes it', async () => {
    await using open = await serveControlled();
    const pause = { sinceMs: startMs, untilMs: startMs + 3 * hourMs };
    open.telemetry.report({
      type: 'paused',
      accountId: museum,
      stream: 'stories',
      pause,
      saved: true,
    });
    const { page } = await visit(browser, open);
    const row = page
      .getByRole('article')
      .filter({ hasText: '@museum_of_letters' })
      .getByRole('row', { name: 'stories' });
    const cells = await row.getByRole('cell').allInnerTexts();
    expect([cells[0], cells[2]]).toEqual(['Paused', 'in 3 h']);

    await openControl(page, stories);
    await page.getByRole('button', { name: 'Poll now' }).click({ force: true });
    await press(page, 'Resume');
    await announced(page, 'Resumed.');

    expect(open.requests).toEqual([{ ...poll, action: 'resume' }]);
    open.telemetry.report({
      type: 'paused',
      accountId: museum,
      stream: 'stories',
      pause: null,
      saved: true,
    });
    await refreshed(page);
    await page.getByRole('dialog').getByText('OK', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click({ force: true });
    expect(open.requests).toHaveLength(1);
  });

  test('requires the token again after a wrong one, and after it was replaced', async () => {
    let current = token;
    await using open = await serveControlled({ readToken: () => current });
    const { page } = await visit(browser, open);

    await openControl(page, stories, '');
    await announced(page, 'Enter the token');
    await enterToken(page, 'not-the-token');
    await announced(page, 'The program rejects the token: expected the header Authorization');
    expect(await page.evaluate('document.activeElement.id')).toBe('token');
    await enterToken(page);
    await page.getByRole('button', { name: 'Poll now', exact: true }).waitFor();
    current = 'the-token-of-tomorrow';
    await press(page, 'Poll now');
    await announced(page, 'The program rejects the token');
    expect(open.requests).toEqual([]);
    await enterToken(page, current);
    await press(page, 'Poll now');
    await announced(page, 'Accepted');

    expect(open.requests).toEqual([poll]);
  });

  test('names the setting while the control API is off', async () => {
    await using open = await serve();
    reportDay(open);
    const { page } = await visit(browser, open);

    await page.getByText('set HTTP_TOKEN or HTTP_TOKEN_FILE, and restart the program').waitFor();
    expect(await page.locator('.control').filter({ visible: true }).count()).toBe(0);
  });

  test('shows the error of a program that was restarted without a token', async () => {
    await using open = await serve();
    reportDay(open);
    const { page } = await visit(browser, open);
    await page.getByText('@museum_of_letters').waitFor();
    await page.evaluate(`document.body.setAttribute('data-control', 'on')`);

    await openControl(page, stories);

    await announced(page, 'the control API is off');
    expect(await page.locator('#token-result').innerText()).toBe(
      'the control API is off: set HTTP_TOKEN, or HTTP_TOKEN_FILE, and restart',
    );
  });

  test('shows the error of the program beside the button when a request is rejected', async () => {
    const reason = 'partition 2, which has the account, is not this instance’s now';
    const answer = { kind: 'elsewhere', reason, owner: '<b>other-host</b>' } as const;
    await using open = await serveControlled({ answer });
    const { page } = await visit(browser, open);

    await openControl(page, stories);
    await press(page, 'Pause');

    const error = `${reason} Its instance: <b>other-host</b>.`;
    await page.locator('#pause-form').getByText(error).waitFor();
    expect(await page.locator('#act-result').innerText()).toBe('');
    await press(page, 'Poll now');
    await page.locator('#acts .act').first().getByText(error).waitFor();
    expect(await page.locator('#pause-result').innerText()).toBe('');
  });

  test('sends one request for a double click, and for clicks before the response', async () => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open);
    await openControl(page, stories);

    await press(page, 'Poll now');
    await announced(page, 'Accepted');
    await page.mouse.down({ clickCount: 2 });
    await page.mouse.up({ clickCount: 2 });
    const held = Promise.withResolvers<undefined>();
    await page.route('**/pause', async (route) => {
      await held.promise;
      await route.continue();
    });
    await press(page, 'Pause');
    await press(page, 'Pause');
    held.resolve(undefined);
    await announced(page, 'Paused until resumed.');

    expect(open.requests).toMatchObject([poll, { ...poll, action: 'pause' }]);
  });

  test('reports a program that does not answer', async () => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open);
    await openControl(page, stories);

    await page.route('**/poll', (route) => route.abort());
    await press(page, 'Poll now');

    await announced(page, 'The program does not answer (Failed to fetch).');
    expect(open.requests).toEqual([]);
  });

  test('reads and sets the log level', async () => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open);

    await openControl(page, 'Log level');
    const level = page.getByRole('combobox', { name: 'Lowest level that is logged' });
    expect(await level.inputValue()).toBe('debug');
    expect(await level.getByRole('option').allInnerTexts()).toEqual(logLevels);
    await level.selectOption('warn');
    await press(page, 'Set');
    await announced(page, 'From now on warn and above is logged.');

    expect(open.log.level()).toBe('warn');
    await press(page, 'Close');
    open.log.setLevel('error');
    await press(page, 'Log level');
    await waitUntilTrue(page, 'level.value === "error"');
  });
});

describe('status page: accessible control', () => {
  test('works by keyboard alone, and restores the focus', async () => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open);
    await page.getByRole('button', { name: stories }).focus();

    await page.keyboard.press('Enter');
    await page.keyboard.type(token);
    await page.keyboard.press('Enter');
    await waitUntilTrue(page, 'document.activeElement.id === "poll"');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await announced(page, 'Paused until Thu 26 Nov, 08:00 GMT+1.');
    await page.keyboard.press('Escape');

    expect(open.requests).toMatchObject([{ action: 'pause', untilMs: Date.UTC(2026, 10, 26, 7) }]);
    expect(await page.getByRole('dialog').isVisible()).toBe(false);
    expect(await page.evaluate('document.activeElement.ariaLabel')).toBe(stories);
  });

  test('keeps focus, typed text and choices over a refresh', async () => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open);
    await press(page, stories);

    await page.getByLabel('Control token').fill('half of it');
    await refreshed(page);
    expect(await page.getByLabel('Control token').inputValue()).toBe('half of it');
    expect(await page.evaluate('document.activeElement.id')).toBe('token');
    await enterToken(page);
    await page.getByLabel('End of the pause').fill('2026-12-01T18:30');
    open.telemetry.report({ type: 'accounts', added: [account('5')], removed: [] });
    await refreshed(page);
    await page.getByText('Account 5', { exact: false }).first().waitFor();

    expect(await page.getByLabel('End of the pause').inputValue()).toBe('2026-12-01T18:30');
    expect(await page.getByRole('radio', { name: 'Until another time' }).isChecked()).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('end');
  });

  test.each([
    ['light', { colorScheme: 'light' } as const],
    ['dark, on a phone', { ...phone, colorScheme: 'dark' } as const],
  ])('has no violation according to axe in its dialog, %s', async (_how, options) => {
    await using open = await serveControlled();
    const { page } = await visit(browser, open, options);

    await openControl(page, stories, 'wrong');
    await announced(page, 'rejects the token');
    expect(await violations(page, '#control')).toEqual([]);
    await enterToken(page);
    await press(page, 'Pause');
    await announced(page, 'Paused');
    expect(await violations(page, '#control')).toEqual([]);
  });

  test('fits a phone of 360 pixels, with targets of 44 pixels', async () => {
    await using open = await serveControlled();
    reportTwoHours(open);
    const { page } = await visit(browser, open, {
      ...phone,
      viewport: { width: 360, height: 740 },
    });
    const small = `[...document.querySelectorAll('button, summary, select, input, fieldset label')]
      .filter((one) => one.checkVisibility() && !/radio|checkbox/.test(one.type))
      .map((one) => [one.textContent || one.id, one.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 43.9 || height < 43.9)
      .map(([name, { width, height }]) => name + ' ' + width + ' × ' + height)`;
    await page.locator('#plots summary').first().waitFor();

    expect(await page.evaluate(small)).toEqual([]);
    await openControl(page, stories);
    await page.getByRole('button', { name: 'Poll now' }).waitFor();

    expect(await page.evaluate(small)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(await page.evaluate('control.scrollWidth - control.clientWidth')).toBe(0);
  });

  test('rejects requests of a page of another site', async () => {
    await using open = await serveControlled();
    await using other = await serve();
    // A page without a Content-Security-Policy of its own.
    const { page } = await watch(browser, `${other.url}/livez`);
    const url = `${open.url}/streams/stories/accounts/${museum}/poll`;
    const post = (init: object): Promise<string> =>
      page.evaluate(
        `fetch('${url}', ${JSON.stringify({ method: 'POST', ...init })})
          .then(({ type, status }) => type + ' ' + status, (error) => error.message)`,
      );

    expect(await post({ headers: { Authorization: `Bearer ${token}` } })).toBe('Failed to fetch');
    const answered = page.waitForResponse(url);
    expect(await post({ mode: 'no-cors', credentials: 'include' })).toBe('opaque 0');
    expect((await answered).status()).toBe(401);
    expect(open.requests).toEqual([]);
  });
});
