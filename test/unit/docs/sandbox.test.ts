import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { answerAdmin } from '../../../sandbox/graph-api/admin.ts';
import { describeWorld, patchWorld } from '../../../sandbox/graph-api/admin-world.ts';
import { readConditions } from '../../../sandbox/graph-api/conditions-spec.ts';
import { errorNames, graphError } from '../../../sandbox/graph-api/errors.ts';
import { readFaultRule } from '../../../sandbox/graph-api/fault-rules.ts';
import { createFaults } from '../../../sandbox/graph-api/faults.ts';
import { createLedger } from '../../../sandbox/graph-api/ledger.ts';
import { readLimits } from '../../../sandbox/graph-api/limits.ts';
import { createMeter } from '../../../sandbox/graph-api/meter.ts';
import { readOrder, readSettings } from '../../../sandbox/graph-api/webhooks/settings.ts';
import { Webhooks } from '../../../sandbox/graph-api/webhooks/webhooks.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import { demoWorld } from '../../../sandbox/demo/world.ts';
import { rowsBelow } from './markdown.ts';

const page = readFileSync(new URL('../../../docs/sandbox.md', import.meta.url), 'utf8');
const world = createWorld({
  seed: 1,
  accounts: 1,
  mediaPerAccount: 1,
  storiesPerAccount: 1,
  insightsDays: 1,
});

/** The properties that a reader accepts, from its error about an unknown one. */
function membersOf(read: (value: unknown) => unknown): readonly string[] {
  try {
    read({ nothing: 1 });
  } catch (error) {
    const [, names = ''] =
      /one of (.+)$/.exec((error as Error).message.split(', got')[0] ?? '') ?? [];
    return names.split(', ');
  }
  throw new Error('expected a refusal');
}

describe('docs/sandbox.md', () => {
  test('has the size of the download of Kafka and the registry', () => {
    const file = new URL('../../../sandbox/cluster/download-sizes.json', import.meta.url);
    const { kafka, registry } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;

    expect(page).toContain(`(${Number(kafka) + Number(registry)} MB, cached`);
  });

  test('names the user names and hashtags of the demo, and its secret by a property that exists', async () => {
    const rows = rowsBelow(page, '## What it contains').map((cells) => cells.at(-1) ?? '');
    const { accounts, clock } = await demoWorld({ speed: 1 });
    const captions = accounts.flatMap((account) =>
      account.media.map((media) => JSON.stringify(media.fields(clock.now())['caption'] ?? '')),
    );
    const hashtags = captions.flatMap((text) => text.match(/(?<=#)[\p{L}\p{N}_]+/gu) ?? []);
    const namesIn = (text = '') => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name);

    expect(namesIn(rows[0])).toEqual(accounts.map(({ user }) => user['username']));
    expect(namesIn(rows[1]).toSorted()).toEqual([...new Set(hashtags)].toSorted());
    expect(rows[2]).toContain('`app.clientSecret`');
    expect(describeWorld(world)['app']).toHaveProperty('clientSecret');
  });

  test('names every endpoint of the simulator', () => {
    const request = { method: 'GET', name: '', query: new URLSearchParams(), body: '' };
    const state = {
      world,
      ledger: createLedger(),
      faults: createFaults(),
      meter: createMeter(),
      webhooks: new Webhooks(world),
    };
    const rows = rowsBelow(page, "## The simulator's own endpoints").map((cells) =>
      cells.join(' '),
    );
    const calls = Object.keys(answerAdmin(request, state).body as object);

    const isNamed = (call: string) => {
      const [method = '', path = ''] = call.split(' ');
      return rows.some((row) => row.includes(method) && row.includes(path));
    };
    expect(calls.length).toBeGreaterThan(9);
    expect(calls.filter((call) => !isNamed(call))).toEqual([]);
  });

  test.each([
    ['conditions', readConditions],
    ['limits', readLimits],
    ['the webhooks', readSettings],
    ['an order of webhooks', readOrder],
    [
      'the app',
      (app: unknown) => {
        patchWorld({ app }, world);
      },
    ],
    [
      'tokens',
      (one: unknown) => {
        patchWorld({ tokens: { one } }, world);
      },
    ],
  ])('names every property of %s', (_name, read) => {
    const members = membersOf(read);

    expect(members.length).toBeGreaterThan(2);
    expect(members.filter((member) => !page.includes(`\`${member}\``))).toEqual([]);
  });

  test('has one row for each property of a fault', () => {
    const rows = rowsBelow(page, '## Faults').map(([member]) => member);
    const nested = (name: string) =>
      membersOf((value) => readFaultRule({ [name]: value })).map((member) => `${name}.${member}`);
    const simple = membersOf(readFaultRule).filter((name) => !['match', 'effect'].includes(name));

    expect([...rows].sort()).toEqual(
      [...nested('match'), ...simple, ...nested('effect')].map((name) => `\`${name}\``).sort(),
    );
  });

  test('has one row for each error, with its status and code', () => {
    const rows = rowsBelow(page, '### Errors').map((cells) => cells.slice(0, 3));

    expect(rows).toEqual(
      errorNames.map((name) => {
        const { status, code, error } = graphError(name);
        const subcode = error['error_subcode'];
        return [
          `\`${name}\``,
          String(status),
          subcode === undefined ? String(code) : `${code}/${Number(subcode)}`,
        ];
      }),
    );
  });
});
