/**
 * `npm run pictures`: writes the pictures of README into docs/pictures/, except the drawing of the
 * data path. The terminal shows what `npm run demo -- --once` prints. The status page is that of the
 * program after a day in a simulated world, on a clock that skips idle time. One part: `-- status`.
 * Needs a Chromium and what the demo needs.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { createWorld } from '../sandbox/graph-api/world.ts';
import { launch } from '../test/browser/browser.ts';
import { DAY_MS, deploy } from '../test/integration/end-to-end/deployment.ts';
import { startLeapingRun } from '../test/integration/end-to-end/leaping-run.ts';
import { drawTerminal, type PrintedLine } from './terminal-picture.ts';

/** The time for which an account has been denied: one interval of its stories. */
const DENIED_MS = 20 * 60_000;
/** Of WebP, from 0 to 1. */
const QUALITY = 0.75;
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const folder = new URL('../docs/pictures/', import.meta.url);
const { version } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** @throws Error when a picture would show something of this machine */
function assertNothingPrivate(subject: string, text: string): void {
  const found = [root, homedir(), hostname()].find((one) => text.includes(one));
  if (found !== undefined) throw new Error(`${subject} shows "${found}"; pictures are public`);
}

async function save(name: string, content: string | Buffer): Promise<void> {
  await writeFile(new URL(name, folder), content);
  console.log(`docs/pictures/${name}: ${(Buffer.byteLength(content) / 1000).toFixed(0)} kB`);
}

/**
 * Runs a command of a shell in the project's folder, and records each line that it prints on either
 * output. The folder is shown as a dot, the user's as a tilde.
 */
async function record(command: string): Promise<readonly PrintedLine[]> {
  const startMs = performance.now();
  const lines: PrintedLine[] = [{ atMs: 0, text: `$ ${command}` }];
  const child = spawn('sh', ['-c', `exec ${command} 2>&1`], {
    cwd: root,
    env: { ...process.env, TZ: 'UTC' },
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    const shown = text.replaceAll(root, '.').replaceAll(homedir(), '~');
    lines.push({ atMs: performance.now() - startMs, text: shown });
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const text = lines.map((line) => line.text).join('\n');
  if (code !== 0) throw new Error(`${command} has ended with ${code}:\n${text}`);
  assertNothingPrivate(command, text);
  return lines;
}

/** Draws the demo up to the first record that it prints: the others look alike. */
async function drawDemo(): Promise<void> {
  const lines = await record('npm run demo -- --once');
  const first = lines.findIndex(({ text }) => text.startsWith('One record of each'));
  const end = lines.findIndex(({ text }, index) => index > first + 1 && text === '');
  if (first < 0 || end < 0) throw new Error('the demo has printed no record');
  const shown = lines.slice(0, end);
  const title =
    'What npm run demo -- --once prints: polls, topics and a record read back from Kafka';
  await save(
    'demo.svg',
    drawTerminal(shown, { title, columns: 100, rows: 31, seconds: 8, pauseMs: 1000 }),
  );
}

/** Draws the status page after a day in which the API limits one account, and at last denies one. */
async function drawStatus(): Promise<void> {
  const world = createWorld({
    seed: 7,
    now: '2026-11-29T08:00:00Z',
    accounts: 3,
    mediaPerAccount: 60,
    storiesPerAccount: 6,
    insightsDays: 30,
    postsPerDay: 6,
  });
  const [first = '', , third = ''] = world.accounts.map(({ id }) => id);
  world.limits = { account: { calls: 2000 }, accounts: { [first]: { calls: 1430 } } };
  await using deployment = await deploy(world);
  const changes = {
    POLLING_INSTANCE: 'producer-1',
    KAFKA_TOPIC_TEMPLATE: 'instagram.{stream}',
    LOG_LEVEL: 'silent',
  };
  // On a busy machine the clock would skip the wait for an answer, too.
  await using run = await startLeapingRun(deployment, changes, { version, restMs: 30 });
  await using browser = await launch();
  await run.pass(DAY_MS - DENIED_MS);
  world.conditions.set({ deniedAccounts: [third] });
  await run.pass(DENIED_MS);
  await run.hold(async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const options = { colorScheme, url: run.url, atMs: world.clock.now() };
      await save(`status-${colorScheme}.webp`, await shoot(browser, options));
    }
  });
}

interface Shot {
  readonly colorScheme: 'light' | 'dark';
  readonly url: string;
  /** The time of the world, for the clock of the browser. */
  readonly atMs: number;
}

/** Takes a picture of the status page, down to its plots. */
async function shoot(browser: Browser, { colorScheme, url, atMs }: Shot): Promise<Buffer> {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    deviceScaleFactor: 1.25,
    locale: 'en-GB',
    timezoneId: 'UTC',
    colorScheme,
  });
  await page.clock.setFixedTime(atMs);
  await page.goto(url);
  await page.locator('#plots svg').last().waitFor();
  assertNothingPrivate('the status page', await page.locator('body').innerText());
  const top = page.locator('section:has(#plots)');
  const { y = 0, height = 0 } = (await top.boundingBox()) ?? {};
  const clip = { x: 0, y: 0, width: 1280, height: y + height + 16 };
  const picture = await toWebp(page, await page.screenshot({ fullPage: true, clip }));
  await page.close();
  return picture;
}

/** Converts a picture by the browser: its PNG would be three times as large. */
async function toWebp(page: Page, png: Buffer): Promise<Buffer> {
  // The page's own policy loads no picture of a data URL.
  await page.goto('about:blank');
  const url = await page.evaluate<string>(`(async () => {
    const picture = new Image();
    picture.src = 'data:image/png;base64,${png.toString('base64')}';
    await picture.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.width, picture.height];
    canvas.getContext('2d').drawImage(picture, 0, 0);
    return canvas.toDataURL('image/webp', ${QUALITY});
  })()`);
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  demo: drawDemo,
  status: drawStatus,
};
const { positionals } = parseArgs({ allowPositionals: true });
for (const name of positionals.length > 0 ? positionals : Object.keys(parts)) {
  const draw = parts[name];
  if (draw === undefined)
    throw new Error(`got "${name}", expected ${Object.keys(parts).join(' or ')}`);
  await draw();
}
