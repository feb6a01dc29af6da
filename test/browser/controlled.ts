import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ControlAnswer, Controls } from '../../src/engine/ports.ts';
import { watch, type Watched } from './browser.ts';
import { serve, reportDay, type Served } from './served.ts';

/** The control token of the served program. */
export const token = 'a-token-of-the-operator';

/** The real server with a fake handler of control requests. */
export interface Controlled extends Served {
  /** The control requests that the handler received. */
  readonly requests: readonly Parameters<Controls['execute']>[0][];
}

/** Serves a day of a program whose control API has a token and accepts every request. */
export async function serveControlled({
  answer = { kind: 'accepted', count: 1, saved: true, elsewhere: [] },
  readToken = () => token,
}: { answer?: ControlAnswer; readToken?: () => string } = {}): Promise<Controlled> {
  const requests: Parameters<Controls['execute']>[0][] = [];
  const execute: Controls['execute'] = (request) => {
    requests.push(request);
    return Promise.resolve(answer);
  };
  const open = await serve({ http: { token: readToken } }, { execute });
  reportDay(open);
  return { ...open, requests };
}

/** Opens the dialog by the name of its button, and enters the token. */
export async function openControl(page: Page, name: string, entered = token): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
  await enterToken(page, entered);
}

/** Enters the token in the open dialog. */
export async function enterToken(page: Page, entered = token): Promise<void> {
  await page.getByLabel('Control token').fill(entered);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** The status page in Berlin, an hour ahead of UTC. */
export function visit(
  browser: Browser,
  { url }: Served,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  return watch(browser, url, { timezoneId: 'Europe/Berlin', ...options });
}

/** Presses the button of a name. */
export function press(page: Page, name: string): Promise<void> {
  return page.getByRole('button', { name, exact: true }).click();
}

/** Waits for a text in the dialog that is announced to a screen reader. */
export function announced(page: Page, text: string | RegExp): Promise<void> {
  return page.getByRole('dialog').getByRole('status').filter({ hasText: text }).waitFor();
}
