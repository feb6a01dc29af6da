import { describe, expect, test } from '@jest/globals';
import { type Json, type Value, isNode } from '../../src/engine/json.ts';
import { parseJsonBody } from '../../src/instagram/api/json-body.ts';
import { readSchema } from '../../src/registry/schemas.ts';
import { streams, streamNames } from '../../src/instagram/streams/index.ts';
import { account } from '../support/accounts.ts';
import { examples } from './examples/index.ts';

const origin = { account, polledAtMs: 1_760_000_000_000 };

/** A value whose texts each end in half a surrogate pair; ids, times and names stay unchanged. */
function cutTexts(value: Json): Json {
  if (typeof value === 'string') return /^[\d-]/.test(value) ? value : `${value}\ud83d`;
  if (Array.isArray(value)) return (value as readonly Json[]).map(cutTexts);
  if (!isNode(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, cutTexts(part)]));
}

function recordOf(name: keyof typeof streams, body: Json): Value {
  const mapped = streams[name].toRecord(isNode(body) ? body : {}, origin);
  if (mapped.kind !== 'record') throw new Error(`skipped: ${mapped.reason}`);
  return mapped.record;
}

describe.each(streamNames)('text encoding of stream %s', (name) => {
  test('writes no half of a surrogate pair into Avro bytes, and decodes to the same record', () => {
    const body = parseJsonBody(JSON.stringify(cutTexts(examples[name].node)));
    const { type } = readSchema(name);
    const bytes = type.toBuffer(recordOf(name, body));

    // U+D83D, as an encoder without a check writes it.
    expect(bytes.toString('hex')).not.toContain('eda0bd');
    expect(type.fromBuffer(bytes)).toEqual(recordOf(name, body));
  });
});

describe('count with an unusual name', () => {
  test.each(['__proto__', 'constructor', 'a\ud83d'])('is written to the Avro bytes: %j', (name) => {
    const results = [{ dimension_values: [name], value: 3 }];
    const { node } = examples.user_lifetime_insights;
    const body = { ...node, total_value: { breakdowns: [{ results }] } };
    const record = recordOf('user_lifetime_insights', parseJsonBody(JSON.stringify(body)));
    const bytes = readSchema('user_lifetime_insights').type.toBuffer(record);

    expect(bytes.includes(Buffer.from(name))).toBe(true);
  });
});
