import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AxeResults } from 'axe-core';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';

/** A page, and the problems that it reported. */
export interface Watched {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, and requests that failed. */
  readonly problems: readonly string[];
  /** The hosts that the page sent requests to. */
  readonly hosts: ReadonlySet<string>;
}

/** The interval at which the page refreshes. */
export const refreshMs = 5000;

/** A context like that of a phone. */
export const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

/** Starts the machine's own Chromium; dispose of it. */
export async function launch(): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
  if (!existsSync(executablePath)) {
    throw new Error(
      `no Chromium at ${executablePath}: install it (Debian: apt-get install chromium) or set CHROMIUM_PATH`,
    );
  }
  return chromium.launch({ executablePath, args: flags });
}

/** Opens a URL in a new context whose clock the test can advance. */
export async function watch(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  const hosts = new Set<string>();
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  page.on('request', (request) => hosts.add(new URL(request.url()).host));
  await page.clock.install();
  await page.goto(url);
  return { page, problems, hosts };
}

/** Advances the page's clock until its next refresh has ended, answered or not. */
export async function refreshed(page: Page): Promise<void> {
  const request = page.waitForRequest('**/status?*');
  await page.clock.runFor(refreshMs);
  await (await request).response();
}

/**
 * Waits until an expression is true in the page. Playwright's `waitForFunction` repeats it with
 * `eval` inside the page, which the page's Content Security Policy forbids.
 *
 * @throws Error when it is not true after ten seconds
 */
export async function waitUntilTrue(page: Page, expression: string): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!(await page.evaluate<boolean>(expression))) {
    if (performance.now() > deadlineMs)
      throw new Error(`${page.url()}: not true after 10 s: ${expression}`);
    await sleep(20);
  }
}

/** The violations of WCAG 2.2 AA and of good practice in a part of the page, as text. */
export async function violations(page: Page, part = 'html'): Promise<readonly string[]> {
  await page.evaluate(axe);
  const run = `axe.run(document.querySelector('${part}'))`;
  const { violations: found, passes } = await page.evaluate<AxeResults>(run);
  if (passes.length < (part === 'html' ? 20 : 5)) throw new Error('axe has found little to check');
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** The number of pixels by which the page is wider than the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
}
