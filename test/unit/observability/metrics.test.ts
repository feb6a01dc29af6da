import { describe, expect, test } from '@jest/globals';
import { account, failed, finished } from './telemetry-events.ts';
import { openCaptured, type Captured } from './captured-observability.ts';

/** The samples of this program, by name and labels. */
function valueOf(text: string): number {
  return text === '+Inf' ? Infinity : Number(text);
}

async function scrape(open: Captured): Promise<Map<string, number>> {
  const samples = (await open.metrics())
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line): [string, number] => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), valueOf(line.slice(space + 1))];
    });
  return new Map(samples);
}

describe('the metrics', () => {
  test("are in Prometheus' text format and include those of the Node process", async () => {
    await using open = openCaptured();
    const listening = await open.listen();

    const response = await fetch(`${listening?.url ?? ''}/metrics`);

    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('nodejs_eventloop_lag_seconds');
  });

  test('have every counter of an enabled stream at 0 before the first event', async () => {
    await using open = openCaptured();

    const samples = await scrape(open);

    expect(samples.get('instagram_kafka_polls_total{stream="users",result="stopped"}')).toBe(0);
    expect(samples.get('instagram_kafka_records_published_total{stream="users"}')).toBe(0);
    expect(samples.get('instagram_kafka_transactions_total{outcome="failed"}')).toBe(0);
    expect(samples.get('instagram_kafka_dependency_up{name="kafka"}')).toBe(0);
    expect(
      samples.get(
        `instagram_kafka_build_info{version="1.2.3",node_version="${process.versions.node}"}`,
      ),
    ).toBe(1);
    expect(samples.get('instagram_kafka_stream_interval_seconds{stream="users"}')).toBe(1);
    expect(samples.get('instagram_kafka_accounts')).toBe(0);
  });

  test('count polls by result, and records and dead letters by commit', async () => {
    await using open = openCaptured();
    open.telemetry.report(
      finished({
        records: 9,
        deadLetters: 3,
        skipped: { 'graph.not-enough-viewers': 3 },
        leftOut: [],
        unknownFields: ['a', 'b'],
        durationMs: 1500,
      }),
    );
    open.telemetry.report({ type: 'committed', stream: 'users', records: 7, deadLetters: 2 });
    open.telemetry.report(failed());
    open.telemetry.report(failed({ retryInMs: null }));
    open.telemetry.report(failed({ disposition: 'wait' }));
    open.telemetry.report(failed({ disposition: 'stop-stream' }));
    open.telemetry.report(failed({ disposition: 'unexpected' }));

    const samples = await scrape(open);

    const polls = (result: string) =>
      samples.get(`instagram_kafka_polls_total{stream="users",result="${result}"}`);
    expect(['ok', 'retry', 'wait', 'failed', 'stopped'].map(polls)).toEqual([1, 1, 1, 2, 1]);
    expect(
      samples.get('instagram_kafka_poll_errors_total{stream="users",code="graph.server"}'),
    ).toBe(5);
    expect(samples.get('instagram_kafka_records_published_total{stream="users"}')).toBe(7);
    expect(samples.get('instagram_kafka_dead_letters_total{stream="users"}')).toBe(2);
    expect(samples.get('instagram_kafka_unknown_fields_total{stream="users"}')).toBe(2);
    expect(
      samples.get(
        'instagram_kafka_skipped_total{stream="users",reason="graph.not-enough-viewers"}',
      ),
    ).toBe(3);
    expect(samples.get('instagram_kafka_poll_duration_seconds_sum{stream="users"}')).toBe(1.5);
  });

  test('count and time requests and transactions', async () => {
    await using open = openCaptured();
    const request = { type: 'request', endpoint: '/{account}/media', durationMs: 250 } as const;
    open.telemetry.report({ ...request, calls: 50, outcome: 'ok' });
    open.telemetry.report({ ...request, calls: 1, outcome: 'graph.server' });
    open.telemetry.report({
      type: 'transaction',
      partition: 1,
      records: 9,
      outcome: 'committed',
      durationMs: 8,
    });

    const samples = await scrape(open);

    const endpoint = 'endpoint="/{account}/media"';
    expect(samples.get(`instagram_kafka_requests_total{${endpoint},code="ok"}`)).toBe(1);
    expect(samples.get(`instagram_kafka_requests_total{${endpoint},code="graph.server"}`)).toBe(1);
    expect(samples.get(`instagram_kafka_api_calls_total{${endpoint},code="ok"}`)).toBe(50);
    expect(samples.get(`instagram_kafka_request_duration_seconds_sum{${endpoint}}`)).toBe(0.5);
    expect(samples.get('instagram_kafka_transactions_total{outcome="committed"}')).toBe(1);
    expect(samples.get('instagram_kafka_transaction_duration_seconds_sum')).toBe(0.008);
  });

  test('have the last success of the account that waits longest, or 0 when an account has none', async () => {
    const sample = 'instagram_kafka_last_success_timestamp_seconds{stream="users"}';
    const report = (open: Captured): void => {
      open.telemetry.report({
        type: 'accounts',
        added: [account('1'), account('2')],
        removed: [],
      });
      open.setNowMs(5000);
      open.telemetry.report(finished({ accountId: '1' }));
    };
    await using waiting = openCaptured();
    report(waiting);
    await using done = openCaptured();
    report(done);
    done.setNowMs(9000);
    done.telemetry.report(finished({ accountId: '2' }));

    expect((await scrape(waiting)).get(sample)).toBe(0);
    const samples = await scrape(done);
    expect(samples.get(sample)).toBe(5);
    expect(samples.get('instagram_kafka_accounts')).toBe(2);
  });

  test('have the age of the oldest state, and no sample without a state', async () => {
    await using open = openCaptured();
    const sample = 'instagram_kafka_state_age_seconds{stream="users"}';
    const state = { type: 'state', stream: 'users', rejections: [] } as const;
    open.telemetry.report({ type: 'accounts', added: [account('1'), account('2')], removed: [] });
    open.setNowMs(90_000);

    expect((await scrape(open)).has(sample)).toBe(false);
    open.telemetry.report({ ...state, accountId: '1', writtenAtMs: 30_000 });
    open.telemetry.report({ ...state, accountId: '2', writtenAtMs: 60_000 });
    expect((await scrape(open)).get(sample)).toBe(60);
    open.telemetry.report({ ...state, accountId: '1', writtenAtMs: 80_000 });
    expect((await scrape(open)).get(sample)).toBe(30);
  });

  test('have the largest state of a stream and the limit of its topic', async () => {
    await using open = openCaptured();
    const report = (accountId: string, bytes: number) => {
      const size = { bytes, limitBytes: 1000 };
      open.telemetry.report({ type: 'state-size', stream: 'users', accountId, ...size });
    };
    open.telemetry.report({ type: 'accounts', added: [account('1'), account('2')], removed: [] });

    expect((await scrape(open)).has('instagram_kafka_state_bytes{stream="users"}')).toBe(false);
    report('1', 300);
    report('2', 800);
    report('2', 700);
    const samples = await scrape(open);
    expect(samples.get('instagram_kafka_state_bytes{stream="users"}')).toBe(700);
    expect(samples.get('instagram_kafka_state_limit_bytes{stream="users"}')).toBe(1000);
  });

  test('have the excluded objects and metrics by reason, over all accounts, until their expiry', async () => {
    await using open = openCaptured();
    const sample = (reason: string) =>
      `instagram_kafka_left_out{stream="users",reason="${reason}"}`;
    const rejection = {
      subject: '1',
      metric: null,
      reason: 'graph.ambiguous',
      untilMs: 100,
    } as const;
    const forEver = { ...rejection, reason: 'graph.metric-refused', untilMs: null } as const;
    const state = { type: 'state', stream: 'users', writtenAtMs: 0 } as const;
    const accounts = [account('1'), account('2')];
    open.telemetry.report({ type: 'accounts', added: accounts, removed: [] });
    open.telemetry.report({ ...state, accountId: '1', rejections: [rejection, forEver] });
    open.telemetry.report({ ...state, accountId: '2', rejections: [rejection] });
    open.setNowMs(99);

    const before = await scrape(open);
    expect(before.get(sample('graph.ambiguous'))).toBe(2);
    expect(before.get(sample('graph.metric-refused'))).toBe(1);
    open.setNowMs(100);
    const after = await scrape(open);
    expect(after.has(sample('graph.ambiguous'))).toBe(false);
    expect(after.get(sample('graph.metric-refused'))).toBe(1);
  });

  test('have the number of stopped accounts by stream, until their next start', async () => {
    await using open = openCaptured({
      streams: { users: { intervalMs: 1000 }, media: { intervalMs: 1000 } },
    });
    open.telemetry.report({ type: 'accounts', added: [account('1'), account('2')], removed: [] });
    open.telemetry.report(failed({ accountId: '1', disposition: 'stop-account' }));
    open.telemetry.report(failed({ accountId: '2', disposition: 'stop-stream' }));
    const stopped = async () => {
      const samples = await scrape(open);
      return ['users', 'media'].map((stream) =>
        samples.get(`instagram_kafka_accounts_stopped{stream="${stream}"}`),
      );
    };

    expect(await stopped()).toEqual([2, 1]);
    // Polls that were running change nothing.
    open.telemetry.report(finished({ accountId: '1' }));
    open.telemetry.report(finished({ accountId: '2', stream: 'media' }));
    expect(await stopped()).toEqual([2, 1]);
    open.telemetry.report({ type: 'accounts', added: [account('1'), account('2')], removed: [] });
    expect(await stopped()).toEqual([0, 0]);
  });

  test('have a rejected token as expired since its rejection, until it is accepted again', async () => {
    await using open = openCaptured();
    const rejection = { code: 'graph.token', message: 'revoked' } as const;
    const refused = { type: 'token-rejected', name: 'default', rejection } as const;
    const shown = async () => {
      const samples = await scrape(open);
      return ['token_refused', 'token_expiry_timestamp_seconds'].map((name) =>
        samples.get(`instagram_kafka_${name}{token="default"}`),
      );
    };
    open.telemetry.report({ type: 'token', name: 'default', expiresAtMs: 9000 });
    expect(await shown()).toEqual([0, 9]);

    open.setNowMs(5000);
    open.telemetry.report(refused);
    expect(await shown()).toEqual([1, 5]);
    open.telemetry.report({ ...refused, rejection: null });
    expect(await shown()).toEqual([0, 9]);
  });

  test('have the number of all partitions and of the owned partitions', async () => {
    await using open = openCaptured();
    const sample = 'instagram_kafka_partitions';

    expect((await scrape(open)).get(sample)).toBe(0);
    const assignment = { gained: [1], lost: [], cause: 'rebalance' } as const;
    open.telemetry.report({ type: 'assignment', owned: [1], partitions: 12, ...assignment });

    const samples = await scrape(open);
    expect([sample, `${sample}_owned`].map((name) => samples.get(name))).toEqual([12, 1]);
  });

  test('have the expiry of each token, and infinity for a token that never expires', async () => {
    await using open = openCaptured();
    open.telemetry.report({ type: 'token', name: '1', expiresAtMs: 432_000_000 });
    open.telemetry.report({ type: 'token', name: '2', expiresAtMs: null });

    const samples = await scrape(open);

    const expiry = (what: string) =>
      ['1', '2'].map((token) =>
        samples.get(`instagram_kafka_token_expiry_${what}{token="${token}"}`),
      );
    expect(expiry('timestamp_seconds')).toEqual([432_000, Infinity]);
    expect(expiry('days')).toEqual([5, Infinity]);
  });

  test('have the end of the API version, and no series when the end is unknown', async () => {
    await using open = openCaptured();
    const version = { type: 'api-version', version: 'v25.0', warning: '' } as const;
    const sample = 'instagram_kafka_graph_api_version_end_timestamp_seconds{version="v25.0"}';

    expect((await scrape(open)).has(sample)).toBe(false);
    open.telemetry.report({ ...version, endsAtMs: 432_000_000 });
    expect((await scrape(open)).get(sample)).toBe(432_000);
    open.telemetry.report({ ...version, endsAtMs: null });
    expect((await scrape(open)).has(sample)).toBe(false);
  });

  test('time the encoding of records', async () => {
    await using open = openCaptured();
    open.telemetry.report({ type: 'encoded', stream: 'users', records: 9, durationMs: 2 });

    const sample = 'instagram_kafka_encode_duration_seconds_sum{stream="users"}';
    expect((await scrape(open)).get(sample)).toBe(0.002);
  });

  test('have a mask in place of a secret in a label (Invariant 9)', async () => {
    await using open = openCaptured({ secrets: ['hush-hush'] });
    open.telemetry.report({
      type: 'request',
      endpoint: '/x?access_token=hush-hush',
      calls: 1,
      outcome: 'ok',
      durationMs: 1,
    });

    const samples = await scrape(open);

    expect([...samples.keys()].join('\n')).not.toContain('hush-hush');
  });

  test('have the longest interval of a stream, and no success time of accounts without it', async () => {
    const polling = { streams: ['users'], intervalsMs: { users: 5000 } };
    await using open = openCaptured({
      streams: { users: { intervalMs: 1000 }, media: { intervalMs: 1000 } },
    });
    const added = [{ ...account('1'), polling }];
    open.telemetry.report({ type: 'accounts', added, removed: [] });

    const samples = await scrape(open);

    const gauge = (name: string, stream: string) =>
      samples.get(`instagram_kafka_${name}{stream="${stream}"}`);
    expect(gauge('stream_interval_seconds', 'users')).toBe(5);
    expect(gauge('stream_interval_seconds', 'media')).toBe(1);
    expect(gauge('last_success_timestamp_seconds', 'users')).toBe(0);
    expect(gauge('last_success_timestamp_seconds', 'media')).toBeUndefined();
  });
});
