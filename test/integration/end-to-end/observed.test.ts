import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type World, createWorld } from '../../../sandbox/graph-api/world.ts';
import { startHttpServer } from '../../support/http-server.ts';
import { startTraceCollector } from '../../support/trace-collector.ts';
import { type Deployment, deploy } from './deployment.ts';

let world: World;
let deployment: Deployment;

beforeAll(async () => {
  world = createWorld({
    seed: 31,
    accounts: 1,
    mediaPerAccount: 3,
    storiesPerAccount: 1,
    insightsDays: 3,
  });
  deployment = await deploy(world);
});
afterAll(async () => {
  await deployment[Symbol.asyncDispose]();
});

describe('traces', () => {
  it('span the poll, its requests, encoding and transaction, and are named in the record headers', async () => {
    await using collector = await startTraceCollector();

    const { code } = await deployment.once({
      STREAMS: 'media',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_SERVICE_NAME: 'the-service',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    });

    expect(code).toBe(0);
    const polls = collector.spans.filter(({ parentSpanId = '' }) => parentSpanId === '');
    expect(polls.map(({ name }) => name)).toEqual(['poll media']);
    const [poll] = polls;
    const steps = collector.spans.filter((span) => span.parentSpanId === poll?.spanId);
    expect(new Set(steps.map(({ name }) => name))).toEqual(
      new Set(['GET /{account}/media', 'encode media', 'transaction media']),
    );
    expect(steps.length + 1).toBe(collector.spans.length);
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
    const records = await deployment.read('media');
    expect(records.length).toBeGreaterThan(0);
    const named = new Set(records.map(({ headers }) => headers['traceparent']));
    expect([...named]).toEqual([`00-${poll?.traceId ?? ''}-${poll?.spanId ?? ''}-01`]);
    expect(collector.resource).toMatchObject({
      'service.name': 'the-service',
      'deployment.environment': 'test',
    });
    expect(collector.bodies.join('')).not.toContain(world.token);
  });

  it('are sent for the share of polls that the sampler sets', async () => {
    await using collector = await startTraceCollector();

    const { code } = await deployment.once({
      STREAMS: 'users',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    });

    expect(code).toBe(0);
    expect(collector.spans).toEqual([]);
  });

  it('cost only a log line when the collector hangs', async () => {
    await using hanging = await startHttpServer(() => undefined);

    const { code, log } = await deployment.once({
      STREAMS: 'users',
      OTEL_EXPORTER_OTLP_ENDPOINT: hanging.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: '300',
    });

    expect(code).toBe(0);
    expect(hanging.requests.map(({ path }) => path)).toContain('/v1/traces');
    const told = log.filter(({ msg }) => msg === 'traces not sent');
    expect(told.map(({ reason, error }) => [reason, error])).toEqual([
      ['Request timed out', undefined],
    ]);
    expect(await deployment.read('users')).not.toHaveLength(0);
  });

  it('are in no record header when they are not configured', async () => {
    await deployment.once({ STREAMS: 'users', STREAM_USERS_PUBLISH: 'always' });

    const last = (await deployment.read('users')).at(-1);
    expect(Object.keys(last?.headers ?? {}).sort()).toEqual([
      'account',
      'poll',
      'schema',
      'stream',
    ]);
  });
});

const topicsOf = (name: string) => ({
  KAFKA_TOPIC_TEMPLATE: `${deployment.topicOf(name)}.{stream}`,
});

describe('control API of a running program', () => {
  it('polls at once, and pauses a stream, which a later run of once does not poll', async () => {
    const token = 'the-operator-of-the-test';
    const listening = Promise.withResolvers<string>();
    const polls = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    let polled = 0;
    const program = deployment.run(
      // Separate topics: streams in the state of earlier tests are not due yet.
      { ...topicsOf('control'), STREAMS: 'users', HTTP_TOKEN: token, STREAM_USERS_INTERVAL: '1h' },
      ({ msg, url }) => {
        if (msg === 'http server listening') listening.resolve(String(url));
        if (msg === 'poll finished') polls[polled++]?.resolve(undefined);
      },
    );
    const base = await listening.promise;
    await polls[0]?.promise;
    const id = world.accounts[0]?.id ?? '';
    const control = async (action: string, authorization = `Bearer ${token}`) => {
      const path = `/streams/users/accounts/${id}/${action}`;
      const answer = await fetch(base + path, { method: 'POST', headers: { authorization } });
      return { status: answer.status, body: await answer.json() };
    };

    expect(await control('poll', 'Bearer wrong')).toMatchObject({ status: 401 });
    expect(await control('poll')).toMatchObject({ status: 202 });
    await polls[1]?.promise;
    expect(await control('pause')).toEqual({ status: 202, body: { accepted: true, saved: true } });
    expect(await control('poll')).toMatchObject({ status: 409 });
    const status = (await (await fetch(`${base}/status`)).json()) as {
      readonly accounts: { readonly items: readonly { readonly streams: readonly object[] }[] };
    };
    const pause = { until: null, saved: true };
    expect(status.accounts.items[0]?.streams[0]).toMatchObject({
      state: 'paused',
      polls: 2,
      pause,
    });
    program.process.kill('SIGTERM');
    expect(await program.ended).toBe(0);

    const { code, stderr } = await deployment.once({
      ...topicsOf('control'),
      STREAMS: 'users,media',
    });
    expect(code).toBe(0);
    expect(stderr).toContain(`users of account ${id}: not polled, paused since `);
    expect(stderr).toMatch(/^1 poll, all succeeded; 1 paused; /m);
  });
});

describe('end of the API version', () => {
  it('is in the status of a running program', async () => {
    const listening = Promise.withResolvers<string>();
    const started = Promise.withResolvers<undefined>();
    await using program = deployment.run(
      { ...topicsOf('version'), STREAMS: 'users', INSTAGRAM_API_VERSION: 'v25.0' },
      ({ msg, url }) => {
        if (msg === 'http server listening') listening.resolve(String(url));
        if (msg === 'poll finished') started.resolve(undefined);
      },
    );
    await started.promise;

    const answer = await fetch(`${await listening.promise}/status`);

    expect(await answer.json()).toMatchObject({
      apiVersion: { version: 'v25.0', endsAt: '2028-07-29T00:00:00.000Z' },
    });
    program.process.kill('SIGTERM');
    expect(await program.ended).toBe(0);
  });
});
