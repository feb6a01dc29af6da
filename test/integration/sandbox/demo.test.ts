import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { type Cluster, startCluster } from '../../../sandbox/cluster/start.ts';
import { allSucceeded } from '../../support/once-summary.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const demo = fileURLToPath(new URL('../../../sandbox/demo.ts', import.meta.url));

function countsIn(pattern: RegExp, text: string): readonly number[] {
  return (pattern.exec(text) ?? []).slice(1).map(Number);
}

/** The records and requests in the line of a poll. */
function countsOf(line: string): readonly number[] {
  return countsIn(/(\d+) records?, (\d+) requests?/, line);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

/** The errors without the lines about progress, which begin with the seconds since the start. */
const withoutProgress = (errors: string): string => errors.replace(/^ *\d+\.\d s {2}.*\n/gm, '');

interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

describe('demo', () => {
  let cluster: Cluster;
  let directory: string;

  beforeAll(async () => {
    cluster = await startCluster();
    directory = await mkdtemp(join(tmpdir(), 'demo-'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
    await cluster[Symbol.asyncDispose]();
  });

  /** Runs the demo on the cluster; `onLine` may stop it. */
  async function runDemo(
    args: readonly string[],
    onLine: (line: string, stop: () => void) => void = () => undefined,
    env: NodeJS.ProcessEnv = {},
  ): Promise<Ended> {
    const child = spawn(
      process.execPath,
      ['--disable-warning=TimeoutNegativeWarning', demo, ...args],
      {
        env: {
          ...process.env,
          KAFKA_BROKERS: cluster.brokers.join(','),
          SCHEMA_REGISTRY_URL: cluster.registryUrl,
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const lines: string[] = [];
    let rest = '';
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        onLine(line, () => child.kill('SIGINT'));
      }
    });
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, lines, errors };
  }

  const recorded = {
    user: { id: '17841400000000009', username: 'recorded', followers_count: 280 },
    media: { id: '18000000000000009', caption: 'Tak určitě 🇨🇿', like_count: 3, ig_id: '389519' },
  };

  async function writeRecording(): Promise<string> {
    const exchange = (path: string, body: unknown, query: Record<string, string> = {}) =>
      JSON.stringify({
        request: {
          method: 'GET',
          path: `/v23.0${path}`,
          query: { access_token: 'REDACTED', ...query },
        },
        response: { status: 200, headers: {}, body },
      });
    const [hashtag, user_id] = ['17841500000000001', recorded.user.id];
    const other = { business_discovery: { id: '17841400000000001', username: 'other' } };
    const file = join(directory, 'recording.ndjson');
    const lines = [
      exchange(`/${recorded.user.id}`, recorded.user),
      exchange(`/${recorded.user.id}/media`, { data: [recorded.media] }),
      exchange(`/${user_id}`, other, { fields: 'business_discovery.username(other){id,username}' }),
      exchange('/ig_hashtag_search', { data: [{ id: hashtag }] }, { user_id, q: 'sunset' }),
      exchange(`/${hashtag}/top_media`, { data: [{ id: '18000000000000008' }] }, { user_id }),
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    return file;
  }

  async function readTopic(name: string): Promise<{ key: string; value: unknown }[]> {
    const text = await readFile(join(directory, 'out', `${name}.jsonl`), 'utf8');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as { key: string; value: unknown });
  }

  const newPrefix = (): string => `demo-${randomUUID().slice(0, 8)}`;

  it('publishes the accounts of a recording under the prefix as recorded, without hashtags and accounts of others, counts the records in Kafka, and writes them to files', async () => {
    const prefix = newPrefix();
    const recording = await writeRecording();
    const out = join(directory, 'out');
    const args = ['--once', '--recording', recording, '--out', out, '--given-cluster', prefix];
    const { code, lines, errors } = await runDemo(args);

    expect({ code, errors: withoutProgress(errors) }).toEqual({ code: 0, errors: allSucceeded });
    expect(errors).toMatch(/^ +\d+\.\d s {2}demo: /);
    expect(errors).toContain(`using the cluster of KAFKA_BROKERS (${cluster.brokers.join(',')})`);
    expect(lines).toContain('Its clock stands still.');
    expect(lines).toContain('What to do next:');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      topics: { [`${prefix}.users`]: 1, [`${prefix}.media`]: 1, [`${prefix}.stories`]: 0 },
      // users, media, and user_insights and media_insights, which remember what they have requested
      state: 4,
    });
    const [media] = await readTopic(`${prefix}.media`);
    const [user] = await readTopic(`${prefix}.users`);
    expect(media).toMatchObject({ key: recorded.media.id, value: recorded.media });
    expect(user).toMatchObject({ key: recorded.user.id, value: recorded.user });
  });

  it('polls with the token of each account, with --login instagram', async () => {
    const prefix = newPrefix();
    const args = ['--once', '--login', 'instagram', '--given-cluster', prefix];
    const { code, lines, errors } = await runDemo(args);

    expect({ code, errors: withoutProgress(errors) }).toEqual({ code: 0, errors: allSucceeded });
    const read = lines.join('\n');
    // Instagram Login has no page.
    expect(read).toMatch(/page_id: null/);
    expect(read).not.toMatch(/page_id: '/);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ topics: { [`${prefix}.users`]: 3 } });
  });

  it('writes nothing into a given cluster that has topics of the prefix', async () => {
    const prefix = newPrefix();
    const admin = new Kafka({ brokers: [...cluster.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: `${prefix}.users` }] });
    const { code, errors } = await runDemo(['--once', '--given-cluster', prefix]);
    const ends = await admin.fetchTopicOffsets(`${prefix}.users`);
    const topics = await admin.listTopics();
    await admin.disconnect();

    expect(code).toBe(1);
    expect(errors).toContain(`the cluster has topics of this prefix (${prefix}.users)`);
    expect(ends.map(({ high }) => high)).toEqual(['0']);
    expect(topics.filter((topic) => topic.startsWith(prefix))).toEqual([`${prefix}.users`]);
  });

  it('starts a new cluster without --given-cluster, although the environment names one', async () => {
    const recording = await writeRecording();
    const { code, lines, errors } = await runDemo(['--once', '--recording', recording]);

    expect(code).toBe(0);
    expect(errors).toContain('ignoring KAFKA_BROKERS and SCHEMA_REGISTRY_URL');
    const place = lines.find((line) => line.startsWith('Kafka and registry:'));
    expect(place).toMatch(/\((docker|java)\)$/);
    expect(place).not.toContain(cluster.brokers[0]);
  }, 120_000);

  /** Creates a folder whose `xdg-open` writes the opened address to a file; returns both. */
  async function writeBrowser(): Promise<{ readonly folder: string; readonly opened: string }> {
    const folder = await mkdtemp(join(directory, 'browser-'));
    const opened = join(folder, 'opened');
    const script = `#!/bin/sh\nprintf %s "$1" > '${opened}'\n`;
    await writeFile(join(folder, 'xdg-open'), script, { mode: 0o755 });
    return { folder, opened };
  }

  it('opens its status page, prints next steps that work while it polls on, and stops cleanly on Ctrl-C', async () => {
    const browser = await writeBrowser();
    const steps = { page: '', tail: '', curl: '' };
    const tails: ChildProcess[] = [];
    const args = ['--open', '--speed', '60', '--given-cluster', newPrefix()];
    const env = { PATH: `${browser.folder}:${process.env['PATH'] ?? ''}` };
    const { code, lines } = await runDemo(
      args,
      (line, stop) => {
        if (line.startsWith('  http://')) steps.page = line.trim();
        if (line.startsWith('  curl ')) steps.curl = line;
        if (!line.startsWith('  KAFKA_BROKERS=')) return;
        // Its own process group, because npx starts the command as its child.
        const tail = spawn('sh', ['-c', line], { cwd: root, detached: true });
        tails.push(tail);
        tail.stdout.setEncoding('utf8').once('data', (record: string) => {
          steps.tail = record;
          const call = spawnSync('sh', ['-c', steps.curl], { encoding: 'utf8' });
          const page = spawnSync('curl', ['-fsS', steps.page], { encoding: 'utf8' });
          steps.curl = call.stdout;
          steps.page = page.stdout;
          stop();
        });
      },
      env,
    );
    for (const { pid } of tails) process.kill(-(pid ?? NaN), 'SIGTERM');

    expect(code).toBe(0);
    const [, address] = /^Status page: (\S+)\/$/m.exec(lines.join('\n')) ?? [];
    expect(await readFile(browser.opened, 'utf8')).toBe(address);
    expect(steps).toEqual({
      page: expect.stringContaining('<!doctype html>'),
      tail: expect.stringContaining('"business_account_id"'),
      curl: expect.stringContaining('"speed":60'),
    });
    expect(lines.join('\n')).toContain('Its clock runs at 60 times real time');
    const polled = lines.filter((line) => line.startsWith('Every stream was polled,'));
    expect(polled).toHaveLength(1);
    // Polls that end while the table is built are in it too, printed or not.
    const before = lines.slice(0, lines.indexOf(polled[0] ?? ''));
    const users = before.filter((line) => / {2}users +\d+ /.test(line)).map(countsOf);
    const [records = 0, requests = 0] = countsIn(
      /^users +\S+\.users +(\d+) +(\d+)$/m,
      lines.join('\n'),
    );
    expect(users.length).toBeGreaterThanOrEqual(3);
    expect(records).toBeGreaterThanOrEqual(sum(users.map(([published = 0]) => published)));
    expect(requests).toBeGreaterThanOrEqual(sum(users.map(([, made = 0]) => made)));
  });

  it('prints an environment that a shell can source, with npm run --silent sandbox', async () => {
    const prefix = newPrefix();
    const file = join(directory, 'sandbox.env');
    const start = 'exec npm run --silent sandbox -- --given-cluster "$1" > "$2"';
    const child = spawn('sh', ['-c', start, 'sh', prefix, file], {
      env: {
        ...process.env,
        KAFKA_BROKERS: cluster.brokers.join(','),
        SCHEMA_REGISTRY_URL: cluster.registryUrl,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = once(child, 'close');
    let said = '';
    for await (const text of child.stderr.setEncoding('utf8')) {
      said += String(text);
      if (said.includes('stop with Ctrl-C')) break;
    }
    const script = '. "$1" && curl -fsS "$INSTAGRAM_BASE_URL/_sandbox/clock" && env';
    const { status, stdout } = spawnSync('sh', ['-euc', script, 'sh', file], { encoding: 'utf8' });
    child.kill('SIGTERM');
    await ended;

    expect(status).toBe(0);
    expect(stdout).toMatch(/^\{"now":"[^"]+","speed":1\}/);
    expect(stdout).toContain(`KAFKA_TOPIC_TEMPLATE=${prefix}.{stream}\n`);
    expect(stdout).toContain(`KAFKA_TRANSACTIONAL_ID_PREFIX=${prefix}\n`);
  });

  it('rejects an unknown option with exit code 2 and its usage', async () => {
    const { code, errors } = await runDemo(['--twice']);

    expect(code).toBe(2);
    expect(errors).toContain('--twice');
    expect(errors).toContain('usage: npm run demo');
  });
});
