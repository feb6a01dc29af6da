import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Cluster, startCluster } from '../../../sandbox/cluster/start.ts';
import { partitionOf } from '../../../src/engine/partition.ts';
import {
  type Installation,
  accounts,
  install,
  installed,
  joinGroup,
  openClient,
} from './installation.ts';

const [first, second, third] = accounts;
let cluster: Cluster;
let folder: string;

beforeAll(async () => {
  cluster = await startCluster();
  folder = await mkdtemp(join(tmpdir(), 'state-'));
}, 120_000);

afterAll(async () => {
  await rm(folder, { recursive: true });
  await cluster[Symbol.asyncDispose]();
});

describe('state list', () => {
  test('prints cursor, sequence, author, partition and size of each state', async () => {
    const { run } = await installed(cluster);

    const { exitCode, stdout } = await run(['list', '--json']);

    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual(
      accounts.map((account) => ({
        key: `user_insights/${account}`,
        stream: 'user_insights',
        account,
        cursor: '2026-06-10T07:00:00.000Z',
        pause: null,
        sequence: 1,
        written_at: expect.stringMatching(/^\d{4}-.*Z$/),
        written_by: 'state import on desk',
        partition: expect.any(Number),
        bytes: expect.any(Number),
        unreadable: null,
      })),
    );
    const [head, first] = (await run(['list'])).stdout.split('\n');
    expect(head).toMatch(
      /^KEY +CURSOR +PAUSED UNTIL +SEQUENCE +WRITTEN AT +WRITTEN BY +PARTITION +BYTES$/,
    );
    // The other commands accept this key.
    const key = first?.split(' ')[0] ?? '';
    expect(JSON.parse((await run(['get', key, '--json'])).stdout)).toMatchObject({ sequence: 1 });
  }, 60_000);

  test('rejects an unknown account, and a missing topic', async () => {
    const { run } = await installed(cluster);

    const unknown = await run(['list', '--account', '99']);
    const absent = await install(cluster).run(['list']);

    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unknown.stderr).toContain('has no state of */99');
    expect(absent).toMatchObject({ exitCode: 3, stdout: '' });
    expect(absent.stderr).toContain('.state: is missing');
  }, 60_000);

  test('exits with 3 when Kafka is unreachable', async () => {
    const env = { KAFKA_BROKERS: '127.0.0.1:1' };
    const { exitCode, stderr } = await install(cluster).run(['list'], { env });

    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^kafka\.unavailable: Kafka at 127\.0\.0\.1:1 /);
  }, 60_000);
});

describe('state set', () => {
  test('prints the change and writes nothing without --apply', async () => {
    const { run, records } = await installed(cluster);
    const before = await records();

    const { exitCode, stdout } = await run([
      'set',
      `user_insights/${first}`,
      '--cursor',
      '2026-06-03',
    ]);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('  cursor: 2026-06-10T07:00:00.000Z -> 2026-06-03T00:00:00.000Z\n');
    expect(stdout).toContain('  sequence: 1 -> 2\n');
    expect(stdout).toContain('Nothing was written');
    expect(await records()).toEqual(before);
  }, 60_000);

  test('moves the cursor in the partition of its account, and increments the sequence (Invariant 2)', async () => {
    const installation = await installed(cluster);
    const key = `user_insights/${first}`;

    const { exitCode, stdout } = await installation.run([
      'set',
      key,
      '--cursor',
      '2026-06-03T07:00:00Z',
      '--apply',
      '--json',
    ]);

    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      applied: true,
      changes: [
        {
          key,
          action: 'write',
          before: { cursor: '2026-06-10T07:00:00.000Z', sequence: 1 },
          after: { cursor: '2026-06-03T07:00:00.000Z', sequence: 2 },
        },
      ],
    });
    const got = JSON.parse((await installation.run(['get', key])).stdout) as object;
    expect(got).toMatchObject({
      cursor: '2026-06-03T07:00:00.000Z',
      sequence: 2,
      written_by: 'state set on desk',
    });
    const places = (await installation.placed()).filter((record) => record.key === key);
    expect(places.map(({ partition }) => partition)).toEqual([2, 2]);
  }, 60_000);
});

describe('state command with invalid arguments', () => {
  let installation: Installation;

  beforeAll(async () => {
    installation = await installed(cluster);
  }, 60_000);

  test.each([
    [['set', 'user_insights/99', '--cursor', '2026-06-03'], 'has no state of user_insights/99'],
    [['set', 'media/1', '--cursor', '2026-06-03'], 'stream "media" has no cursor'],
    [['set', 'user_insights', '--cursor', '2026-06-03'], 'key "user_insights": expected'],
    [['set', `user_insights/${first}`, '--cursor', '3 June'], 'cursor "3 June": expected'],
    [['get', 'reels/1'], 'stream "reels": expected one of'],
    [['reset'], 'reset: expected keys'],
    [['reset', 'media/1', '--all'], 'reset: expected keys'],
    [['import', '/no/such/file'], '/no/such/file cannot be read'],
  ])(
    'exits with 2: %j',
    async (args, message) => {
      const { exitCode, stdout, stderr } = await installation.run(args);

      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
      expect(stderr).toContain(message);
    },
    60_000,
  );
});

describe('state reset', () => {
  test('writes tombstones to the partitions that hold the states', async () => {
    const installation = await installed(cluster);

    const { exitCode, stdout } = await installation.run(['reset', '--all', '--apply']);

    expect(exitCode).toBe(0);
    expect(stdout).toContain('Written: 3 states.');
    expect(JSON.parse((await installation.run(['list', '--json'])).stdout)).toEqual([]);
    const records = await installation.records();
    expect(
      records
        .filter(({ value }) => value === null)
        .map(({ key }) => key)
        .sort(),
    ).toEqual(accounts.map((account) => `user_insights/${account}`));
    const places = (await installation.placed()).filter(({ value }) => value === null);
    expect(places.map(({ key, partition }) => [key, partition]).sort()).toEqual([
      [`user_insights/${first}`, 2],
      [`user_insights/${second}`, 0],
      [`user_insights/${third}`, 1],
    ]);
  }, 60_000);

  test('deletes unreadable states and foreign records', async () => {
    const { run, topic } = await installed(cluster);
    const producer = openClient(cluster).producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: [
        { key: `media/${second}`, value: 'not Avro', partition: 0 },
        { key: 'nobody', value: '{}', partition: 1 },
      ],
    });
    await producer.disconnect();

    const listed = await run(['list', '--stream', 'media', '--json']);
    const got = await run(['get', `media/${second}`]);
    const reset = await run(['reset', `media/${second}`, 'nobody', '--apply']);

    expect(JSON.parse(listed.stdout)).toMatchObject([
      { unreadable: expect.stringContaining('not an Avro record') },
    ]);
    expect(got).toMatchObject({ exitCode: 3, stdout: '' });
    expect(got.stderr).toContain(`instagram-kafka state reset media/${second} --apply`);
    expect(reset).toMatchObject({ exitCode: 0, stderr: '' });
    const left = JSON.parse((await run(['list', '--json'])).stdout) as { stream: string }[];
    expect(left.map(({ stream }) => stream)).toEqual(accounts.map(() => 'user_insights'));
  }, 60_000);
});

describe('state move-partitions', () => {
  test('moves every state to the partition of its account after partitions were added, only with --apply', async () => {
    const { run, placed, topic } = await installed(cluster);
    const admin = openClient(cluster).admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    await admin.disconnect();
    const env = { KAFKA_TOPICS_STATE_PARTITIONS: '5' };
    const moved = accounts.filter((id) => partitionOf(id, 3) !== partitionOf(id, 5));
    const lastValues = async () => {
      const records = await placed();
      const last = new Map(records.map((one) => [`${one.key} in ${one.partition}`, one.value]));
      return new Map([...last].filter(([, value]) => value !== null));
    };
    const before = await lastValues();

    const shown = await run(['move-partitions'], { env });
    expect(shown.stdout).toContain('Nothing was written: this is what --apply would do.');
    expect(await lastValues()).toEqual(before);

    const applied = await run(['move-partitions', '--apply'], { env });
    expect(applied.stdout).toContain(`Written: ${moved.length} state`);
    const expected = accounts.map((id) => {
      const key = `user_insights/${id}`;
      return [
        `${key} in ${partitionOf(id, 5)}`,
        before.get(`${key} in ${partitionOf(id, 3)}`),
      ] as const;
    });
    expect(await lastValues()).toEqual(new Map(expected));
    expect((await run(['move-partitions', '--apply'], { env })).stdout).toBe(
      'Nothing to change.\n',
    );
  }, 120_000);
});

describe('state export and import', () => {
  test('copy every state to another installation, and restore the states from before a change', async () => {
    const from = await installed(cluster);
    const to = install(cluster);
    const exported = await from.run(['export']);
    const file = join(folder, 'state.jsonl');
    await writeFile(file, exported.stdout);
    await from.run(['set', `user_insights/${first}`, '--cursor', '2026-06-03', '--apply']);

    const shown = await to.run(['import', file]);
    const moved = await to.run(['import', file, '--apply']);
    const back = await from.run(['import', file, '--apply']);

    expect(shown.stdout).toContain(`The topic ${to.topic} is not there yet: --apply makes it.`);
    expect([moved.exitCode, back.exitCode]).toEqual([0, 0]);
    expect(back.stdout).toContain(`user_insights/${second} is unchanged`);
    expect(back.stdout).toContain('Written: 1 state.');
    for (const installation of [from, to]) {
      const again = await installation.run(['export']);
      expect(withoutAuthors(again.stdout)).toEqual(withoutAuthors(exported.stdout));
    }
    expect(JSON.parse((await from.run(['get', `user_insights/${first}`])).stdout)).toMatchObject({
      sequence: 3,
    });
  }, 60_000);

  test('reject an invalid file with the line of the error, and change nothing', async () => {
    const { run, records } = await installed(cluster);
    const before = await records();
    const line = (await run(['export', '--account', first])).stdout;

    const { exitCode, stderr } = await run(['import', '-', '--apply'], {
      input: `${line}${line.replace('"sequence":1', '"sequence":"one"').replaceAll(first, second)}`,
    });

    expect(exitCode).toBe(2);
    expect(stderr).toBe(
      'state.invalid: line 2.state.sequence: expected a whole number within 2^53, got "one". ' +
        'Nothing was changed.\n',
    );
    expect(await records()).toEqual(before);
  }, 60_000);
});

function withoutAuthors(lines: string): unknown {
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const { key, state } = JSON.parse(line) as { key: string; state: object };
      return { key, ...state, sequence: 0, written_at: '', written_by: '' };
    });
}

describe('state set of a partition that a running instance owns', () => {
  test('fails unless it is forced, while states of other partitions are written', async () => {
    const { id, topic, run } = await installed(cluster);
    await using member = await joinGroup(cluster, {
      id: `${id}-instances`,
      topic,
      partition: 2,
    });
    expect(member).toBeDefined();

    const key = `user_insights/${first}`;
    const shown = await run(['set', key, '--cursor', '2026-06-03']);
    const refused = await run(['set', key, '--cursor', '2026-06-03', '--apply']);
    const other = await run([
      'set',
      `user_insights/${second}`,
      '--cursor',
      '2026-06-03',
      '--apply',
    ]);
    const forced = await run(['set', key, '--cursor', '2026-06-03', '--apply', '--force']);

    expect(shown.stdout).toContain('Partition 2 is being polled by an-instance');
    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain(`state.owned: A running instance owns ${key}: an-instance`);
    expect([other.exitCode, forced.exitCode]).toEqual([0, 0]);
    expect(forced.stdout).toContain('  sequence: 1 -> 2\n');
  }, 60_000);
});
