import { describe, expect, test } from '@jest/globals';
import type { Account } from '../../../src/core/account.ts';
import { RetryError, StopStreamError } from '../../../src/core/errors.ts';
import { createProfiles } from '../../../src/runtime/profiles.ts';
import type { Answer } from '../../support/fake-graph.ts';
import { createFakeGraph } from '../../support/fake-graph.ts';
import { account } from '../../support/accounts.ts';
import { calm, minuteMs, startMs } from './world.ts';

const accounts = ['1', '2', '3'].map((id): Account => ({ ...account, id }));

/** A graph of accounts of which some refuse; a joint request is refused by any of them. */
function office(
  refuse: (id: string) => Answer | undefined = () => undefined,
  tokens: Readonly<Record<string, string>> = {},
) {
  const graph = createFakeGraph(({ path, query }): Answer => {
    const ids = path === '/' ? (query['ids'] ?? '').split(',') : [path.slice(1)];
    const refusal = ids.map(refuse).find((answer) => answer !== undefined);
    if (refusal !== undefined) return refusal;
    return path === '/' ? Object.fromEntries(ids.map((id) => [id, { id }])) : { id: ids[0] ?? '' };
  });
  const profiles = createProfiles();
  const withToken = (one: Account): Account => {
    const token = tokens[one.id];
    return token === undefined ? one : { ...one, token };
  };
  profiles.know(accounts.map(withToken));
  const get = (id: string, nowMs = startMs) => {
    const asker = withToken({ ...account, id });
    return profiles.get({ account: asker, fields: 'id,name', graph, nowMs, signal: calm });
  };
  const paths = () => graph.requests.map(({ path, query }) => query['ids'] ?? path);
  return { get, paths };
}

describe('profiles', () => {
  test('of accounts that another token reaches are not asked along', async () => {
    const { get, paths } = office(undefined, { '1': '1', '2': '2', '3': '1' });

    await get('1');

    expect(paths()).toEqual(['1,3']);
  });

  test('of all accounts come in one request, whoever asks first', async () => {
    const { get, paths } = office();

    const nodes = await Promise.all(['2', '1', '3'].map((id) => get(id)));

    expect(nodes).toEqual([{ id: '2' }, { id: '1' }, { id: '3' }]);
    expect(paths()).toEqual(['2,1,3']);
  });

  test('that came along serve one poll and grow stale within a minute', async () => {
    const { get, paths } = office();
    await get('1');
    await get('2');
    await get('2', startMs + 1);
    await get('3', startMs + 2 * minuteMs);

    expect(paths()).toEqual(['1,2,3', '/2', '3,1,2']);
  });

  test('are asked one by one when one account refuses, which stays apart from then on', async () => {
    const denied = new StopStreamError('graph.permission', 'missing');
    const { get, paths } = office((id) => (id === '2' ? denied : undefined));

    await expect(get('1')).resolves.toEqual({ id: '1' });
    await expect(get('2')).rejects.toBe(denied);
    await expect(get('3', startMs + 2 * minuteMs)).resolves.toEqual({ id: '3' });

    expect(paths()).toEqual(['1,2,3', '/1', '/2', '3,1']);
  });

  test('fail with the request when the trouble passes', async () => {
    const away = new RetryError('graph.server', 'HTTP 500');
    const { get, paths } = office(() => away);

    await expect(get('1')).rejects.toBe(away);
    expect(paths()).toEqual(['1,2,3']);
  });

  test('are asked at most 50 at a time', async () => {
    const { graph, profiles } = {
      graph: createFakeGraph(({ query }) =>
        Object.fromEntries((query['ids'] ?? '').split(',').map((id) => [id, { id }])),
      ),
      profiles: createProfiles(),
    };
    const many = Array.from({ length: 120 }, (_, id): Account => ({ ...account, id: String(id) }));
    profiles.know(many);
    for (const one of many) {
      await profiles.get({ account: one, fields: 'id', graph, nowMs: startMs, signal: calm });
    }

    expect(graph.queries.map((query) => query['ids']?.split(',').length)).toEqual([50, 50, 20]);
  });

  test('that are too much data together are asked in halves, which grow again', async () => {
    let refusals = 1;
    const much = new RetryError('graph.too-much-data', 'reduce');
    const { get, paths } = office((id) => (id === '3' && refusals-- > 0 ? much : undefined));

    await get('1');
    await get('3');
    await get('1', startMs + 2 * minuteMs);

    expect(paths()).toEqual(['1,2,3', '1,2', '/3', '1,2,3']);
  });

  test('of which one alone is too much data fail for this one alone', async () => {
    const much = new RetryError('graph.too-much-data', 'reduce');
    const { get } = office((id) => (id === '1' ? much : undefined));

    await expect(get('1')).rejects.toBe(much);
    await expect(get('2')).resolves.toEqual({ id: '2' });
    await expect(get('3')).resolves.toEqual({ id: '3' });
  });
});
