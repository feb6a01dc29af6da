import { describe, test } from '@jest/globals';
import { recordKey } from '../../src/engine/key.ts';
import { openLocalCodec } from '../../src/registry/index.ts';
import type { OutgoingRecord } from '../../src/engine/ports.ts';
import { pollWhenDue } from '../../src/engine/poller.ts';
import {
  type InstagramStreamName,
  streams,
  streamNames,
} from '../../src/instagram/streams/index.ts';
import { examples } from '../conformance/examples/index.ts';
import { account } from '../support/accounts.ts';
import { createFakeGraph } from '../support/fake-graph.ts';
import { calm, createWorld, jobOf } from '../unit/engine/world.ts';
import { expectGolden, sorted } from './golden.ts';

const codec = openLocalCodec([...streamNames, 'dead_letters']);

/** The record of a stream's conformance example. */
function exampleOf(name: InstagramStreamName): Pick<OutgoingRecord, 'key' | 'value'> {
  const { key, toRecord } = streams[name];
  const mapped = toRecord(examples[name].node, { account, polledAtMs: 1_760_000_000_000 });
  if (mapped.kind === 'skipped') throw new Error(`skipped: ${mapped.reason}`);
  const { record } = mapped;
  return { key: recordKey(key, record), value: codec.encoder.encode(name, record) };
}

/** The records that a poll publishes for a profile with one invalid field. */
async function published(): Promise<readonly OutgoingRecord[]> {
  const node = { ...examples.users.node, followers_count: 'many' };
  const world = createWorld({ encoder: codec.encoder, graph: createFakeGraph(() => node) });
  await pollWhenDue(jobOf(streams.users), world, { nextPollMs: null, signal: calm });
  return world.publisher.batches.flatMap(({ records }) => records);
}

function linesOf(
  role: OutgoingRecord['role'],
  { key, value }: Pick<OutgoingRecord, 'key' | 'value'>,
): readonly string[] {
  const bytes = value ?? Buffer.alloc(0);
  return [
    `${role} key ${key}`,
    `${role} value ${JSON.stringify(codec.toJson(role, bytes))}`,
    `${role} bytes ${bytes.toString('hex')}`,
  ];
}

describe('encoded records', () => {
  test('match the golden file, for the examples and for a dead letter', async () => {
    const records = await published();

    expectGolden('records', [
      ...sorted(streamNames).flatMap((name) =>
        linesOf(name as InstagramStreamName, exampleOf(name as InstagramStreamName)),
      ),
      '# of a poll',
      ...records.flatMap((record) => [
        ...linesOf(record.role, record),
        ...Object.entries(record.headers).map(
          ([name, text]) => `${record.role} header ${name}: ${text}`,
        ),
      ]),
    ]);
  });
});
