import { describe, expect, test } from '@jest/globals';
import { createProgram, loadCommands } from '../../../src/cli/program.ts';
import { describeStatus, readStatus } from '../../../src/cli/status.ts';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import type { Status } from '../../../src/observability/status.ts';
import { answering, startHttpServer } from '../../support/http-server.ts';
import { openCaptured } from '../observability/captured-observability.ts';
import { account, failed, finished } from '../observability/telemetry-events.ts';
import { runMain } from './command-line.ts';

/** Serves the status after events, as a running instance does. */
async function serving(...events: readonly TelemetryEvent[]) {
  const streams = { users: { intervalMs: 1000 }, media: { intervalMs: 1000 } };
  const open = openCaptured({ streams });
  for (const event of events) open.telemetry.report(event);
  return { ...open, url: (await open.listen())?.url ?? '' };
}

const accounts: TelemetryEvent = {
  type: 'accounts',
  added: ['11', '12'].map((id) => ({ ...account(id), username: `name-${id}` })),
  removed: [],
};

describe('the command status', () => {
  test('prints the reasons, the errors with their action, the limits and each stream', async () => {
    await using server = await serving(
      accounts,
      failed({ accountId: '11', stream: 'users', code: 'graph.network', message: 'no route' }),
      finished({ accountId: '11', stream: 'media' }),
      {
        type: 'scope',
        scope: { kind: 'account', id: '11' },
        percent: 96.2,
        state: 'stopped',
        untilMs: 3_600_000,
      },
      {
        type: 'paused',
        accountId: '12',
        stream: 'media',
        pause: { sinceMs: 1000, untilMs: null },
        saved: true,
      },
    );
    server.setNowMs(7_200_000 - 3_600_001);

    const { exitCode, stdout } = await runMain(['status'], { HTTP_PORT: new URL(server.url).port });

    expect(exitCode).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(
      'here, version 1.2.3, since 1970-01-01T00:00:00Z, 0 of 0 partitions: not ready',
    );
    expect(lines).toContain('  kafka: not connected yet');
    expect(lines[1]).toBe('problems:');
    expect(stdout).toContain('\n  graph.network: 1 stream of 1 account. If it persists');
    expect(lines).toContain('paused by a person: 1 stream since 1970-01-01T00:00:01Z');
    expect(lines).toContain('    no route');
    expect(lines).toContain('limits of the API:');
    expect(lines).toContain('  account 11: stopped until 1970-01-01T01:00:00Z, 96 % used');
    expect(rowsOf(stdout)).toEqual([
      ['ACCOUNT', 'NAME', 'STREAM', 'STATE', 'LAST SUCCESS', 'LAG', 'PAUSED', 'ERROR'],
      ['11', 'name-11', 'users', 'retrying', 'never', '59m', '-', 'graph.network'],
      ['11', 'name-11', 'media', 'late', '1970-01-01T00:00:00Z', '59m', '-', '-'],
      ['12', 'name-12', 'users', 'late', 'never', '59m', '-', '-'],
      ['12', 'name-12', 'media', 'paused', 'never', '59m', 'since 1970-01-01T00:00:01Z', '-'],
    ]);
  });

  test('prints the answer for the accounts of --search with --json', async () => {
    await using server = await serving(accounts);
    const args = ['status', '--url', `${server.url}/`, '--search', '12', '--json'];

    const { stdout } = await runMain(args);

    const status = JSON.parse(stdout) as Status;
    expect(status).toMatchObject({ formatVersion: 1, accounts: { total: 2, matching: 1 } });
    const text = describeStatus(status);
    expect(text).toContain('\nproblems:\n  state: ');
    expect(text).not.toContain('no problems');
    expect(text).toContain('\nno API limit reached\n');
    expect(describeStatus({ ...status, reasons: [] })).toContain('\nno problems\n');
    expect(rowsOf(text).map(([id]) => id)).toEqual(['ACCOUNT', '12', '12']);
  });

  test('prints the message of an error once, and refused webhooks', async () => {
    await using server = await serving(
      accounts,
      failed({ accountId: '11', stream: 'users', code: 'graph.token', message: 'it has expired' }),
    );
    const answer = await readStatus(new URL(`${server.url}/status`), 5000);
    const status = {
      ...(answer as Status),
      reasons: ['token default: graph.token: it has expired'],
      webhooks: {
        url: '',
        lastAccepted: '1970-01-01T00:00:01.000Z',
        lastRefused: {
          at: '1970-01-01T00:00:02.000Z',
          outcome: 'bad-signature',
          reason: 'the signature does not match',
        } as const,
      },
    } as Status;

    const text = describeStatus(status);

    expect(text.split('it has expired')).toHaveLength(2);
    expect(text).toContain(
      '\n  webhooks: the last was refused at 1970-01-01T00:00:02Z (bad-signature: the signature does not match), none accepted since 1970-01-01T00:00:01Z; see InstagramKafkaWebhooksRefused',
    );
    const accepted = { ...status.webhooks, lastAccepted: '1970-01-01T00:00:03.000Z' };
    expect(describeStatus({ ...status, webhooks: accepted } as Status)).not.toContain('webhooks:');
  });

  test('exits with 3 and says what to do when the instance does not answer', async () => {
    const server = await startHttpServer(answering(200, {}));
    await server[Symbol.asyncDispose]();

    const { exitCode, stdout, stderr } = await runMain(['status', '--url', server.url]);

    expect([exitCode, stdout]).toEqual([3, '']);
    expect(stderr).toContain(`${server.url} did not answer: connect ECONNREFUSED`);
    expect(stderr).toContain('. Check that the instance is running ');
  });

  test.each([
    [['--http-port', '0'], 'status: HTTP_PORT is 0, a free port. Pass the address'],
    [['--url', 'producer:8080'], '--url "producer:8080": expected the address of an instance'],
  ])('is rejected without an address: %j', async (args, message) => {
    await expect(
      createProgram(await loadCommands()).parse(['status', ...args]),
    ).rejects.toMatchObject({
      code: 'config.invalid',
      message: expect.stringContaining(message),
    });
  });
});

describe('readStatus', () => {
  test('reports an instance that does not answer in time', async () => {
    await using server = await startHttpServer(() => undefined);

    expect(await readStatus(new URL(server.url), 50)).toMatch(
      /^http:\S+ did not answer: nothing within 50 ms\. Check that the instance is running/,
    );
  });

  test.each([
    [421, { error: 'another server' }, /answered 421: another server$/],
    [200, 'hello', /answered 200: not with a status of this program: check --url$/],
    [
      200,
      { formatVersion: 2 },
      /answered in format 2: run the status command of that instance's version$/,
    ],
  ])('reports an answer that is no status: %p %j', async (code, body, expected) => {
    await using server = await startHttpServer(answering(code, body));

    expect(await readStatus(new URL(server.url), 5000)).toMatch(expected);
  });
});

/** Returns the cells of the table of accounts. */
function rowsOf(stdout: string): readonly (readonly string[])[] {
  const table = stdout.split('\n\n')[1] ?? '';
  return table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}
