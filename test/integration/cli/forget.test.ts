import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { truthOf } from '../../../sandbox/graph-api/truth.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { runCommand } from '../../support/command.ts';
import { type Deployment, type Ended, DAY_MS, deploy } from '../end-to-end/deployment.ts';

const streams = ['comments', 'tags'] as const;
const settings = {
  STREAMS: streams.join(','),
  // A tombstone has the same key as its record, whatever its form.
  KAFKA_KEY_FORMAT: 'avro',
  STREAM_TAGS_HASH: 'username',
  FIELDS_HASH_SECRET: 'k'.repeat(32),
};

type Value = DecodedRecord['value'];

interface Truth {
  readonly accounts: readonly {
    readonly foreign: { readonly tags: readonly { readonly username: string }[] };
  }[];
}

/** A change in the plan that the command prints as JSON. */
interface Change {
  readonly tombstones: readonly { readonly topic: string; readonly key: string }[];
}

let deployment: Deployment;
/** The author of a comment, and the owner of a media with a tag. */
let commenter = '';
let friend = '';
let otherFriend = '';
let before: Awaited<ReturnType<typeof readAll>>;

const once = async () => deployment.once(settings);

async function run(...args: readonly string[]) {
  return runCommand(args, { env: { ...deployment.env, ...settings } });
}

async function readAll() {
  const [comments, tags] = [await deployment.read('comments'), await deployment.read('tags')];
  return { comments, tags };
}

const hash = (text: string) =>
  createHmac('sha256', settings.FIELDS_HASH_SECRET).update(text).digest('hex');

/** The last value of each key. */
function newest(records: readonly DecodedRecord[]) {
  return new Map(records.map(({ key, value }) => [key, value]));
}

/** The number of nodes that the polls of a stream left out. */
function skippedIn(log: Ended['log'], stream: string): number {
  const polls = log.filter(
    (entry) => entry['msg'] === 'poll finished' && entry['stream'] === stream,
  );
  const skipped = polls.map((entry) => entry['skipped'] as Readonly<Record<string, number>>);
  return skipped.reduce((sum, counts) => sum + (counts['person.suppressed'] ?? 0), 0);
}

beforeAll(async () => {
  const world = createWorld({
    seed: 5,
    accounts: 2,
    smallAccounts: 0,
    mediaPerAccount: 6,
    storiesPerAccount: 0,
    insightsDays: 2,
    // A day behind, so that every comment is old enough to be read.
    now: Date.now() - DAY_MS,
  });
  deployment = await deploy(world);
  const { code, stderr } = await once();
  if (code !== 0) throw new Error(stderr);
  before = await readAll();
  commenter = String(before.comments[0]?.value?.['username']);
  const { accounts } = truthOf(world, { foreign: true }) as unknown as Truth;
  const friends = new Set(accounts[0]?.foreign.tags.map(({ username }) => username));
  [friend = '', otherFriend = ''] = friends;
}, 120_000);

afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

describe('forget', () => {
  test('shows its plan without --apply, writes nothing, and rejects an incomplete command', async () => {
    const states = await deployment.read('state');

    const shown = await run('forget', '--user', commenter);

    expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
    expect(shown.stdout).toContain('  comments: 1 tombstone\n');
    expect(shown.stdout).toContain('Nothing was written');
    expect(await deployment.read('state')).toEqual(states);
    expect(await run('forget', '--apply')).toMatchObject({ exitCode: 2, stdout: '' });
  }, 60_000);

  test('does not take hashed names for absent ones when it lacks the secret', async () => {
    const states = await deployment.read('state');
    const { STREAMS, KAFKA_KEY_FORMAT } = settings;
    const env = { ...deployment.env, STREAMS, KAFKA_KEY_FORMAT };

    const without = await runCommand(['forget', '--user', friend, '--apply'], { env });

    expect(without).toMatchObject({ exitCode: 2, stdout: '' });
    expect(without.stderr).toContain('set FIELDS_HASH_SECRET');
    expect(without.stderr).toContain(deployment.topicOf('tags'));
    expect(await deployment.read('state')).toEqual(states);

    const wrong = { ...deployment.env, ...settings, FIELDS_HASH_SECRET: 'w'.repeat(32) };
    const shown = await runCommand(['forget', '--user', friend], { env: wrong });
    expect(shown.stdout).toContain('are hashed; they were searched with this FIELDS_HASH_SECRET');
  }, 60_000);

  test("writes a tombstone for each of the person's records and leaves the others", async () => {
    const ofComments = await run('forget', '--user', `@${commenter}`, '--apply');
    const ofTags = await run('forget', '--user', friend, '--apply', '--json');

    expect(ofComments).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ofTags).toMatchObject({ exitCode: 0, stderr: '' });
    const after = await readAll();
    const isOf = {
      comments: (value: Value) => value?.['username'] === commenter,
      tags: (value: Value) => value?.['username'] === hash(friend),
    };
    for (const stream of streams) {
      const found = [...newest(before[stream])].filter(([, value]) => isOf[stream](value));
      const added = after[stream].filter((record) => record.value === null);
      expect(found.length).toBeGreaterThan(0);
      expect(added.map(({ key }) => key).sort()).toEqual(found.map(([key]) => key).sort());
      expect(after[stream]).toHaveLength(before[stream].length + added.length);
      for (const { headers } of added) {
        expect(headers).toMatchObject({ stream, poll: expect.stringMatching(/^forget\//) });
      }
    }
    const { changes } = JSON.parse(ofTags.stdout) as { changes: readonly Change[] };
    const named = changes.flatMap(({ tombstones }) => tombstones.map(({ topic }) => topic));
    expect(new Set(named)).toEqual(new Set([deployment.topicOf('tags')]));
  }, 120_000);

  test('keeps the person out of later polls, also after the state was reset', async () => {
    const reset = await run('state', 'reset', '--all', '--apply');
    const { code, log } = await once();

    expect(reset.stdout).toContain('suppressed/');
    expect(code).toBe(0);
    const after = await readAll();
    for (const stream of streams) {
      const [old, current] = [newest(before[stream]), newest(after[stream])];
      const gone = [...current].filter(([, value]) => value === null).map(([key]) => key);
      const others = [...old.keys()].filter((key) => !gone.includes(key));
      const records = after[stream].filter(({ key }) => gone.includes(key));
      // The record and its tombstone; the second poll of everything added none.
      expect(records).toHaveLength(2 * gone.length);
      expect(gone.length).toBeGreaterThan(0);
      expect(others.every((key) => current.get(key) !== null)).toBe(true);
      expect(after[stream]).toHaveLength(2 * others.length + records.length);
      expect(skippedIn(log, stream)).toBe(gone.length);
    }
    const states = JSON.stringify(await deployment.read('state'));
    expect(states).not.toContain(commenter);
    expect(states).not.toContain(friend);
  }, 120_000);

  test('changes nothing the second time, and takes the person off the lists with --undo', async () => {
    const again = await run('forget', '--user', commenter, '--apply');
    const undone = await run('forget', '--user', commenter, '--undo', '--apply');
    const list = await run('forget', '--list', '--json');

    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.stdout).toContain('Nothing to change.');
    expect(undone.stdout).toContain('Written: 2 states.');
    expect(JSON.parse(list.stdout)).toEqual(
      deployment.api.world.accounts.map(
        ({ id }) => expect.objectContaining({ account: id, people: 1 }) as unknown,
      ),
    );
  }, 120_000);

  test('leaves a running instance alone unless --hand-over requests its partitions', async () => {
    const polled = Promise.withResolvers<undefined>();
    const leftOut = Promise.withResolvers<undefined>();
    const account = deployment.api.world.accounts[0]?.id;
    let atFirst: number | undefined;
    const timing = { KAFKA_GROUP_SESSION_TIMEOUT: '6s', KAFKA_GROUP_HEARTBEAT: '500ms' };
    deployment.run({ ...settings, ...timing, STREAM_TAGS_INTERVAL: '1s' }, (entry) => {
      if (entry['msg'] !== 'poll finished' || entry['accountId'] !== account) return;
      if (entry['stream'] !== 'tags') return;
      atFirst ??= skippedIn([entry], 'tags');
      polled.resolve(undefined);
      if (skippedIn([entry], 'tags') > atFirst) leftOut.resolve(undefined);
    });
    await polled.promise;

    const refused = await run('forget', '--user', otherFriend, '--apply');
    const handedOver = await run('forget', '--user', otherFriend, '--apply', '--hand-over');
    await leftOut.promise;

    expect(refused).toMatchObject({ exitCode: 3, stdout: '' });
    expect(refused.stderr).toContain('state.owned');
    expect(handedOver).toMatchObject({ exitCode: 0, stderr: '' });
    const values = [...newest(await deployment.read('tags')).values()];
    expect(values.map((value) => value?.['username'])).not.toContain(hash(otherFriend));
  }, 120_000);
});
