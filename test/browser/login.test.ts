import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { freePort, startTokenSite, type TokenSite } from '../unit/cli/token-site.ts';
import { launch } from './browser.ts';

let browser: Browser;
let site: TokenSite;
beforeAll(async () => {
  [browser, site] = await Promise.all([launch(), startTokenSite()]);
});
afterAll(async () => {
  await browser.close();
  await site[Symbol.asyncDispose]();
});

/** Logs in with the browser and presses a button of Meta's page. */
async function logIn(login: string, button: string) {
  const opened = Promise.withResolvers<string>();
  const finished = site.run(['login', '--no-open'], {
    env: {
      INSTAGRAM_LOGIN: login,
      // A host name that a browser may resolve to ::1 first.
      INSTAGRAM_REDIRECT_URI: `http://localhost:${await freePort()}/`,
      INSTAGRAM_ACCESS_TOKEN_FILE: site.file,
    },
    onErrorText: (text) => {
      const url = /^http\S+$/m.exec(text)?.[0];
      if (url !== undefined) opened.resolve(url);
    },
  });
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(await opened.promise);
  const asked = await page.getByRole('listitem').allTextContents();
  await page.getByRole('button', { name: button }).click();
  const heading = await page.getByRole('heading', { level: 1 }).textContent();
  const text = await page.getByRole('main').textContent();
  const ended = await finished;
  await context.close();
  return { ...ended, asked, heading, text };
}

describe('login in a browser', () => {
  test.each([
    ['facebook', 'instagram_basic'],
    ['instagram', 'instagram_business_basic'],
  ])('with %s ends on a confirmation page and stores a token', async (login, scope) => {
    const { exitCode, asked, heading, text } = await logIn(login, 'Continue');

    const token = (await site.read()).trim();
    expect([exitCode, heading]).toEqual([0, 'Logged in']);
    expect(asked).toContain(scope);
    expect(site.world.tokens.find(token)?.shortLived).toBe(false);
    expect(await site.mode()).toBe('600');
    expect(text).not.toContain(token);
  });

  test('reports a cancelled login on the page and in the terminal', async () => {
    const { exitCode, heading, text, stderr } = await logIn('facebook', 'Cancel');

    expect([exitCode, heading]).toEqual([3, 'Not logged in']);
    expect(text).toContain('the login was denied');
    expect(stderr).toContain('the login was denied');
  });
});
