import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { topicName } from '../../../src/engine/stream-name.ts';
import { streamNames, streams } from '../../../src/instagram/streams/index.ts';

const folder = new URL('../../../examples/postgres/sinks/', import.meta.url);

type Branch = string | { readonly type: string };
interface Schema {
  readonly fields: readonly { readonly type: Branch | readonly Branch[] }[];
}

/** The properties of every sink that writes the newest record of each key. */
const sinks = readdirSync(folder)
  .filter((file) => file !== 'history.properties')
  .map((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    return new Map(
      [...text.matchAll(/^([^#=\n]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
  });

describe('sinks of examples/postgres', () => {
  it.each(streamNames)('one of them writes %s under its primary key', (name) => {
    const topic = topicName('instagram.{stream}', name);
    const writing = sinks.filter((sink) =>
      new RegExp(`^${sink.get('topics.regex') ?? ''}$`).test(topic),
    );
    const { key, tracksNodes, author } = streams[name];
    // A tombstone has only the key of the record.
    const isByRecordKey = tracksNodes || author !== null || key.length === 1;

    expect(
      writing.map((sink) => [sink.get('primary.key.mode'), sink.get('primary.key.fields') ?? '']),
    ).toEqual([isByRecordKey ? ['record_key', ''] : ['record_value', key.join(',')]]);
  });

  it.each(streamNames)('the record inside a record of %s is flattened', (name) => {
    const pattern = sinks.map((sink) => sink.get('predicates.hasRecord.pattern')).find(Boolean);
    const topic = topicName('instagram.{stream}', name);
    const url = new URL(`../../../avro/${name}.avsc`, import.meta.url);
    const { fields } = JSON.parse(readFileSync(url, 'utf8')) as Schema;
    const hasRecord = fields.some(({ type }) =>
      [type].flat().some((branch) => typeof branch === 'object' && branch.type === 'record'),
    );

    expect(new RegExp(`^${pattern ?? ''}$`).test(topic)).toBe(hasRecord);
  });
});
