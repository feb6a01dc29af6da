import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from '@jest/globals';
import avro, { type Schema } from 'avsc';
import { openRegistry, openStateForm } from '../../src/registry/index.ts';
import { noSignal, registryOptions } from '../support/registry-options.ts';
import { startRegistryServer } from '../support/registry-server.ts';
import { expectGolden } from './golden.ts';

const timeMs = 1_700_000_000_000;
const numbers = (...all: readonly bigint[]) => {
  const bytes = Buffer.alloc(8 * all.length);
  all.forEach((number, index) => bytes.writeBigUInt64BE(number, 8 * index));
  return bytes;
};

/** A state with a value in every field of every format; a format uses the fields that it has. */
const full = {
  stream: 'media_insights',
  account_id: '17841',
  cursor: timeMs,
  covered_until: timeMs + 1,
  days: [
    {
      date: timeMs + 2,
      follower_count: 1,
      reach: 2,
      reach_week: 3,
      reach_days_28: 4,
      online_followers: { '0': 5 },
    },
  ],
  last_poll: timeMs + 3,
  published: numbers(17n, 2n ** 64n - 1n),
  insights_read: numbers(6n),
  comments_seen: [{ media: '17', comments: numbers(7n, 8n) }],
  comments_reading: {
    media_id: '17',
    after: 'QVFI',
    published: numbers(9n),
    newest: timeMs + 4,
    oldest: timeMs + 5,
  },
  dead_letters: numbers(10n),
  refusals: [
    {
      subject: '*',
      metric: 'views',
      reason: 'graph.gone',
      until: timeMs + 6,
      missing_from: timeMs + 7,
    },
  ],
  converted_at: timeMs + 8,
  totals: [{ date: timeMs + 9, values: { views: 11 } }],
  doubted_at: timeMs + 10,
  pause: { since: timeMs + 12, until: timeMs + 13 },
  stories: [
    {
      id: '18',
      created: timeMs + 14,
      read: timeMs + 15,
      values: { views: 16 },
      actions: { navigation_actions: { tap_forward: 17 } },
      few_viewers: true,
      outcome: 'deleted',
      until: timeMs + 18,
    },
  ],
  sequence: 12,
  written_at: timeMs + 11,
  written_by: 'host-1',
};

const folder = new URL('../unit/registry/', import.meta.url);
const older = readdirSync(folder).filter((name) => /^state-format-\d+\.avsc$/.test(name));
/** The schemas of all formats, oldest first; the last is the current one. */
const schemas = [
  ...older.map((_, index) => new URL(`state-format-${index + 1}.avsc`, folder)),
  new URL('../../avro/state.avsc', import.meta.url),
].map((file) => readFileSync(file, 'utf8'));

/** The first id of the registry, which the current schema gets. */
const ownId = 258;

describe('states', () => {
  test('of every format match the bytes of the golden file, can be read, and are written again', async () => {
    const idOf = (index: number) => (index === older.length ? ownId : index + 1);
    const script = Object.fromEntries(
      schemas.map((schema, index) => [
        `GET /schemas/ids/${idOf(index)}`,
        [200, { schema }] as const,
      ]),
    );
    await using server = await startRegistryServer(script, ownId);
    const registry = openRegistry(registryOptions(server.url, { roles: ['state'] }));
    await registry.prepare(noSignal);
    const { stateCodec } = registry;
    const linesOf = async (schema: string, index: number) => {
      const type = avro.Type.forSchema(JSON.parse(schema) as Schema);
      const header = Buffer.from([0, 0, 0, 0, 0]);
      header.writeInt32BE(idOf(index), 1);
      const body = type.toBuffer({ ...full, format_version: index + 1 });
      const bytes = Buffer.concat([header, body]);
      const state = await stateCodec.decode('media_insights/17841', bytes);
      const name = `format ${index + 1}`;
      return [
        `${name} bytes ${bytes.toString('hex')}`,
        `${name} reads ${JSON.stringify(openStateForm().toJson(state))}`,
        `${name} again ${stateCodec.encode(state).toString('hex')}`,
      ];
    };

    expectGolden('states', (await Promise.all(schemas.map(linesOf))).flat());
  });
});
