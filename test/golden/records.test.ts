import { describe, test } from '@jest/globals';
import avro, { type Schema } from 'avsc';
import type { Value } from '../../src/engine/json.ts';
import type { OutgoingRecord } from '../../src/engine/ports.ts';
import { pollWhenDue } from '../../src/engine/poller.ts';
import { streamNames, streams } from '../../src/instagram/streams/index.ts';
import { openLocalCodec } from '../../src/registry/index.ts';
import { createJsonForm } from '../../src/registry/json-form.ts';
import { createEncoder, splitWireValue } from '../../src/registry/wire-format.ts';
import { examples } from '../conformance/examples/index.ts';
import { createFakeGraph } from '../support/fake-graph.ts';
import { calm, createWorld, jobOf } from '../unit/engine/world.ts';
import { expectGolden } from './golden.ts';

const part: Schema = {
  type: 'record',
  name: 'Part',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'alt_text', type: ['null', 'string'], default: null },
  ],
};
const time = { type: 'long', logicalType: 'timestamp-millis' } as const;

/** A schema with each type that the schemas of `avro/` have. */
const example: Schema = {
  type: 'record',
  namespace: 'instagram',
  name: 'Example',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'polled_at', type: time },
    { name: 'timestamp', type: ['null', time], default: null },
    { name: 'like_count', type: ['null', 'long'], default: null },
    { name: 'average', type: ['null', 'double'], default: null },
    { name: 'hidden', type: ['null', 'boolean'], default: null },
    { name: 'value', type: ['null', { type: 'map', values: 'long' }], default: null },
    { name: 'children', type: ['null', { type: 'array', items: part }], default: null },
  ],
};

const values: readonly Value[] = [
  {
    id: '18000000000000001',
    polled_at: 1_760_000_000_000,
    timestamp: 1_778_563_566_000,
    like_count: 4_294_967_296,
    average: 48.4,
    hidden: true,
    value: { '18-24,F': 3, city: -1 },
    children: [{ id: '1', alt_text: 'Where is this? 😍' }, { id: '2' }],
  },
  { id: '1', polled_at: 0 },
];

function encodedLines(): readonly string[] {
  const text = JSON.stringify(example);
  const type = avro.Type.forSchema(example);
  const schema = { role: 'example', part: 'value', text, type } as const;
  const encoder = createEncoder(new Map([['example', schema]]), () => 258);
  return values.flatMap((value) => {
    const bytes = encoder.encode('example', value);
    const { body = Buffer.alloc(0) } = splitWireValue(bytes) ?? {};
    const json = createJsonForm(text).write(schema.type.fromBuffer(body));
    return [`example value ${JSON.stringify(json)}`, `example bytes ${bytes.toString('hex')}`];
  });
}

const codec = openLocalCodec(['users', 'dead_letters']);

/** The records that a poll publishes for a profile with one invalid field. */
async function publishedLines(): Promise<readonly string[]> {
  const node = { ...examples.users.node, followers_count: 'many' };
  const world = createWorld({ encoder: codec.encoder, graph: createFakeGraph(() => node) });
  await pollWhenDue(jobOf(streams.users), world, { nextPollMs: null, signal: calm });
  return world.publisher.batches.flatMap(({ records }) => records).flatMap(linesOf);
}

function linesOf({ role, key, value, headers }: OutgoingRecord): readonly string[] {
  const bytes = value ?? Buffer.alloc(0);
  return [
    `${role} key ${key}`,
    `${role} value ${JSON.stringify(codec.toJson(role, bytes))}`,
    `${role} bytes ${bytes.toString('hex')}`,
    ...Object.entries(headers).map(([name, text]) => `${role} header ${name}: ${text}`),
  ];
}

/** A key of each shape that the streams have. */
const keys = {
  media: '18000000000000001',
  tags: '17841400000000001/18000000000000001',
  user_insights: '17841400000000001/2026-05-12T07:00:00Z',
  user_lifetime_insights: '17841400000000001/age,gender',
} as const;

function keyLines(): readonly string[] {
  const fields = Object.fromEntries(streamNames.map((name) => [name, streams[name].key]));
  const withKeys = openLocalCodec(streamNames, fields);
  return Object.entries(keys).flatMap(([role, text]) => {
    const bytes = withKeys.encoder.encodeKey(role, text) ?? Buffer.alloc(0);
    const record = JSON.stringify(withKeys.keyToJson(role, bytes));
    return [`${role} key ${text} = ${record}`, `${role} key bytes ${bytes.toString('hex')}`];
  });
}

describe('encoded records', () => {
  test('match the golden file, for a schema with every type, a dead letter and Avro keys', async () => {
    expectGolden('records', [
      ...encodedLines(),
      '# of a poll',
      ...(await publishedLines()),
      '# keys with KAFKA_KEY_FORMAT=avro',
      ...keyLines(),
    ]);
  });
});
