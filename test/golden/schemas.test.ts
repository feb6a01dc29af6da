import { describe, test } from '@jest/globals';
import { type Json, type Node, isNode } from '../../src/engine/json.ts';
import { streamNames, streams } from '../../src/instagram/streams/index.ts';
import { openRegistry } from '../../src/registry/index.ts';
import { noSignal, registryOptions } from '../support/registry-options.ts';
import { startRegistryServer } from '../support/registry-server.ts';
import { expectGolden, sorted } from './golden.ts';

/** A schema without its docs. */
function canonical(schema: Json): Json {
  if (Array.isArray(schema)) return (schema as readonly Json[]).map(canonical);
  if (!isNode(schema)) return schema;
  const kept = Object.entries(schema).filter(([name]) => name !== 'doc');
  return Object.fromEntries(kept.map(([name, value]) => [name, canonical(value ?? null)]));
}

/** A record schema as one line for itself and one for each of its fields, in their order. */
function linesOf(subject: string, schema: Node): readonly string[] {
  const { fields, ...record } = schema;
  return [
    `${subject} ${JSON.stringify(record)}`,
    ...(fields as readonly Json[]).map((field) => `${subject}   ${JSON.stringify(field)}`),
  ];
}

describe('schemas', () => {
  test('are registered as in the golden file', async () => {
    await using server = await startRegistryServer();
    const roles = [...streamNames, 'state', 'dead_letters', 'notifications'] as const;
    const topicTemplate = 'instagram.{stream}';
    const keyFields = Object.fromEntries(streamNames.map((name) => [name, streams[name].key]));
    const options = registryOptions(server.url, { roles, topicTemplate, keyFields });
    await openRegistry(options).prepare(noSignal);

    const registered = new Map(
      server.bodies.flatMap(({ request, body }) => {
        const subject = /^POST \/subjects\/([^/]+)\/versions$/.exec(request)?.[1];
        return subject === undefined ? [] : [[subject, (body as { schema: string }).schema]];
      }),
    );
    expectGolden(
      'schemas',
      sorted(registered.keys()).flatMap((subject) =>
        linesOf(subject, canonical(JSON.parse(registered.get(subject) ?? '') as Json) as Node),
      ),
    );
  });
});
