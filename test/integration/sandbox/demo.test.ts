import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Cluster } from '../../../sandbox/cluster/start.ts';
import { startCluster } from '../../../sandbox/cluster/start.ts';
import { allSucceeded } from '../../support/once-summary.ts';

const demo = fileURLToPath(new URL('../../../sandbox/demo.ts', import.meta.url));

function countsIn(pattern: RegExp, text: string): readonly number[] {
  return (pattern.exec(text) ?? []).slice(1).map(Number);
}

/** Records and requests of a poll's line. */
function countsOf(line: string): readonly number[] {
  return countsIn(/(\d+) records?, (\d+) requests?/, line);
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

describe('the demo', () => {
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
  ): Promise<Ended> {
    const child = spawn(
      process.execPath,
      ['--disable-warning=TimeoutNegativeWarning', demo, ...args],
      {
        env: {
          ...process.env,
          KAFKA_BROKERS: cluster.brokers.join(','),
          SCHEMA_REGISTRY_URL: cluster.registryUrl,
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
    const exchange = (path: string, body: unknown) =>
      JSON.stringify({
        request: { method: 'GET', path: `/v23.0${path}`, query: { access_token: 'REDACTED' } },
        response: { status: 200, headers: {}, body },
      });
    const file = join(directory, 'recording.ndjson');
    const lines = [
      exchange(`/${recorded.user.id}`, recorded.user),
      exchange(`/${recorded.user.id}/media`, { data: [recorded.media] }),
    ];
    await writeFile(file, `${lines.join('\n')}\n`);
    return file;
  }

  async function readTopic(name: string): Promise<{ key: string; value: unknown }[]> {
    const text = await readFile(join(directory, 'out', `${name}.jsonl`), 'utf8');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as { key: string; value: unknown });
  }

  // The first of the three to write to the cluster's own topics, so that it can tell what is in them.
  it('publishes recorded bodies as they were recorded, counts them from Kafka, and writes them', async () => {
    const recording = await writeRecording();
    const out = join(directory, 'out');
    const { code, lines, errors } = await runDemo([
      '--once',
      '--recording',
      recording,
      '--out',
      out,
    ]);

    expect({ code, errors }).toEqual({ code: 0, errors: allSucceeded });
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      topics: { 'instagram.users': 1, 'instagram.media': 1, 'instagram.stories': 0 },
      // users, media, and user_insights and media_insights, which remember what they have requested
      state: 4,
    });
    const [media] = await readTopic('instagram.media');
    const [user] = await readTopic('instagram.users');
    expect(media).toMatchObject({ key: recorded.media.id, value: recorded.media });
    expect(user).toMatchObject({ key: recorded.user.id, value: recorded.user });
  });

  it('polls on while the world changes, and stops cleanly on Ctrl-C', async () => {
    const polled: string[] = [];
    const { code, lines } = await runDemo([], (line, stop) => {
      if (line.startsWith('Every stream was polled.')) polled.push(line);
      else if (polled.length > 0 && / {2}stories .* records?,/.test(line)) stop();
    });

    expect(code).toBe(0);
    expect(polled).toHaveLength(1);
    // Polls that end while the table is made are in it too, printed or not.
    const before = lines.slice(0, lines.indexOf(polled[0] ?? ''));
    const users = before.filter((line) => / {2}users +\d+ /.test(line)).map(countsOf);
    const [records = 0, requests = 0] = countsIn(
      /^users +instagram\.users +(\d+) +(\d+)$/m,
      lines.join('\n'),
    );
    expect(users.length).toBeGreaterThanOrEqual(3);
    expect(records).toBeGreaterThanOrEqual(1 + sum(users.map(([published = 0]) => published)));
    expect(requests).toBeGreaterThanOrEqual(sum(users.map(([, made = 0]) => made)));
  });

  it('refuses an option that it does not have with exit code 2 and its usage', async () => {
    const { code, errors } = await runDemo(['--twice']);

    expect(code).toBe(2);
    expect(errors).toContain('--twice');
    expect(errors).toContain('usage: npm run demo');
  });
});
