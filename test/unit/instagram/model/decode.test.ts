import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decode, recordOf, withoutParameters } from '../../../../src/instagram/model/decode.ts';
import { DeadLetterError } from '../../../../src/engine/errors.ts';
import {
  type Fields,
  counts,
  double,
  flag,
  id,
  list,
  long,
  metrics,
  object,
  required,
  text,
  time,
  url,
} from '../../../../src/instagram/model/fields.ts';
import type { Json, Node } from '../../../../src/engine/json.ts';
import { account } from '../../../support/accounts.ts';
import { deepFreeze, thrownBy } from '../../../support/frozen.ts';

const kinds = {
  id,
  text,
  long,
  double,
  flag,
  time,
  counts,
  link: url('sig'),
  owner: object({ id }),
};

describe('value of the right type', () => {
  test.each([
    ['id', '17841400000000001', '17841400000000001'],
    ['id', 2500000001, '2500000001'],
    ['id', 0, '0'],
    ['text', '', ''],
    ['text', '📈', '📈'],
    ['long', 0, 0],
    ['long', -3, -3],
    ['long', 9007199254740991, 9007199254740991],
    ['double', 48.4, 48.4],
    ['double', 48, 48],
    ['flag', false, false],
    ['time', '2026-05-12T05:26:06+0000', Date.UTC(2026, 4, 12, 5, 26, 6)],
    ['counts', { '0': 12, '13': 80 }, { '0': 12, '13': 80 }],
    ['counts', {}, {}],
    ['counts', [], {}],
    ['link', 'https://a/b?sig=1&x=2', 'https://a/b?x=2'],
    ['owner', { id: '7' }, { id: '7' }],
  ] as const)('is accepted: %s %j', (name, raw, value) => {
    expect(decode({ [name]: kinds[name] }, { [name]: raw })).toEqual({
      value: { [name]: value },
      unknown: [],
      rejected: [],
    });
  });
});

describe('value of the wrong type', () => {
  const whole = 'a whole number within 2^53';
  // Invariant 5
  test.each([
    ['id', 'abc', 'expected an id (a text of digits), got string'],
    ['id', '', 'expected an id (a text of digits), got string'],
    ['id', -1, 'expected an id (a text of digits), got number'],
    ['id', 2 ** 53, 'expected an id (a text of digits), got number'],
    ['text', 7, 'expected a text, got number'],
    ['long', '7', `expected ${whole}, got string`],
    ['long', 1.5, `expected ${whole}, got number`],
    ['long', 2 ** 53, `expected ${whole}, got number`],
    ['long', true, `expected ${whole}, got boolean`],
    ['double', '1.5', 'expected a number, got string'],
    ['flag', 1, 'expected true or false, got number'],
    ['flag', 'true', 'expected true or false, got string'],
    ['time', 1778563566, 'expected a time such as 2026-05-12T05:26:06+0000, got number'],
    ['time', 'yesterday', 'expected a time such as 2026-05-12T05:26:06+0000, got string'],
    ['counts', [1], 'expected an object of whole numbers, got list'],
    ['counts', 7, 'expected an object of whole numbers, got number'],
    ['link', 7, 'expected a text (URL), got number'],
    ['owner', '7', 'expected an object, got string'],
    ['owner', [], 'expected an object, got list'],
  ] as const)('is never coerced (Invariant 5): %s %j', (name, raw, words) => {
    const node = { [name]: raw };
    const error = thrownBy(() => decode({ [name]: kinds[name] }, node));

    expect(error).toBeInstanceOf(DeadLetterError);
    expect(error).toMatchObject({
      code: 'mapping.invalid',
      path: name,
      raw: JSON.stringify(node),
      message: `field "${name}": ${words}`,
    });
  });

  test.each([
    ['owner.id', { owner: { id: true } }],
    ['children', { children: [] }],
    ['children', { children: { data: {} } }],
  ])('is rejected by its path: %s', (path, node) => {
    const fields = { ...kinds, children: list({ id: required(id), owner: object({ id }) }) };

    expect(thrownBy(() => decode(fields, node as Node))).toMatchObject({
      path,
      raw: JSON.stringify(node),
    });
  });
});

describe('part of the wrong type', () => {
  const fields = {
    id: required(id),
    children: list({ id: required(id), owner: object({ id }) }),
    ...metrics({ reach: long, hours: counts }),
  };
  const healthy = {
    id: '1',
    children: [
      { id: '2', owner: null },
      { id: '3', owner: null },
    ],
    reach: 7,
    hours: { '9': 1 },
  };
  const [first, second] = [{ id: '2' }, { id: '3' }];

  // Invariants 3 and 5
  test.each([
    ['children[1]', { children: { data: [first, null, second] } }, {}],
    ['children[2]', { children: { data: [first, second, 'x'] } }, {}],
    ['children[0].id', { children: { data: [{}, first, second] } }, {}],
    [
      'children[1].owner.id',
      { children: { data: [first, { id: '4', owner: { id: 1.5 } }, second] } },
      {},
    ],
    ['hours.13', { hours: { '9': 1, '13': '80' } }, {}],
    ['hours', { hours: 'n/a' }, { hours: null }],
    ['reach', { reach: 'n/a' }, { reach: null }],
    ['reach', { reach: 1.5 }, { reach: null }],
  ])('is rejected by %s and leaves its neighbours intact (Invariant 3): %j', (path, part, cost) => {
    const children = { data: [first, second] };
    const node: Node = { id: '1', children, reach: 7, hours: { '9': 1 }, ...(part as Node) };
    const { value, rejected } = decode(fields, node);

    expect(value).toEqual({ ...healthy, ...cost });
    expect(rejected).toMatchObject([
      { name: 'DeadLetterError', code: 'mapping.invalid', path, raw: JSON.stringify(node) },
    ]);
  });

  test.each(['__proto__', 'constructor'])('does not affect a count named %s', (name) => {
    const node = JSON.parse(`{"hours":{"${name}":3}}`) as Node;

    expect(JSON.stringify(decode({ hours: counts }, node).value)).toBe(JSON.stringify(node));
  });
});

describe('missing value', () => {
  test.each([[{}], [{ like_count: null }]])('is null when it is optional: %j', (node) => {
    expect(decode({ like_count: long }, node)).toEqual({
      value: { like_count: null },
      unknown: [],
      rejected: [],
    });
  });

  test.each([
    [{}, 'nothing'],
    [{ id: null }, 'null'],
  ])('is rejected when it is required: %j', (node, came) => {
    expect(thrownBy(() => decode({ id: required(id) }, node))).toMatchObject({
      path: 'id',
      message: `field "id": expected an id (a text of digits), got ${came}`,
    });
  });
});

describe('unknown field', () => {
  test('is ignored and named once, without positions', () => {
    const node = {
      id: '1',
      brand_new: 1,
      owner: { id: '2', nick: 'x' },
      children: {
        data: [
          { id: '3', foo: 1 },
          { id: '4', foo: 2, bar: null },
        ],
      },
    };
    const fields = { id, owner: object({ id }), children: list({ id }) };

    expect(decode(fields, node)).toEqual({
      value: { id: '1', owner: { id: '2' }, children: [{ id: '3' }, { id: '4' }] },
      unknown: ['owner.nick', 'children[].foo', 'children[].bar', 'brand_new'],
      rejected: [],
    });
  });

  test.each(['constructor', '__proto__', 'toString'])(
    'is named even when it is called %s',
    (name) => {
      const node = JSON.parse(`{"id":"1","${name}":7}`) as Node;

      expect(decode({ id }, node)).toEqual({ value: { id: '1' }, unknown: [name], rejected: [] });
    },
  );
});

describe('decode of any node', () => {
  const fields: Fields = { ...kinds, id: required(id), children: list({ id: required(id), time }) };
  const leaf = fc.oneof(fc.jsonValue(), fc.constantFrom('1', '2026-05-12T05:26:06+0000', 7, {}));
  const children = fc.oneof(
    leaf,
    fc.record({ data: fc.array(fc.record({ id: leaf, time: leaf })) }),
  );
  const nodes = fc.oneof(
    fc.record(
      { id: leaf, text: leaf, long: leaf, counts: leaf, owner: leaf, children },
      { requiredKeys: [] },
    ),
    fc.dictionary(fc.string(), leaf),
  ) as fc.Arbitrary<Node>;

  function outcomeOf(node: Node): string {
    try {
      const names = Object.keys(decode(fields, node).value);
      return names.join() === Object.keys(fields).join() ? 'decoded' : `lacks ${names.join()}`;
    } catch (error) {
      const refused = error instanceof DeadLetterError && error.path !== '';
      return refused ? `refused ${error.raw}` : `broke: ${String(error)}`;
    }
  }

  test('returns a value, or rejects the node with its path, and never changes the node', () => {
    fc.assert(
      fc.property(nodes, (node) => {
        const before = JSON.stringify(node);
        expect(['decoded', `refused ${before}`]).toContain(outcomeOf(deepFreeze(node)));
        expect(JSON.stringify(node)).toBe(before);
      }),
      { numRuns: 300 },
    );
  });

  test('keeps an exact count unchanged', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (count: Json) => {
        expect(decode({ long }, { long: count }).value).toEqual({ long: count });
      }),
    );
  });
});

describe('recordOf', () => {
  const origin = { account, polledAtMs: 1_760_000_000_000 };

  test('adds the declared fields to the provenance', () => {
    const toRecord = recordOf({ id: required(id), name: text });

    expect(toRecord({ id: 7, extra: true }, origin)).toEqual({
      kind: 'record',
      record: {
        business_account_id: '17841400000000001',
        page_id: '100000000000001',
        polled_at: 1_760_000_000_000,
        id: '7',
        name: null,
      },
      unknown: ['extra'],
      rejected: [],
    });
  });
});

describe('withoutParameters', () => {
  test.each([
    ['https://a/b?_nc_rid=x&oe=1', 'https://a/b?oe=1'],
    ['https://a/b?oe=1&_nc_rid=x', 'https://a/b?oe=1'],
    ['https://a/b?_nc_rid=x', 'https://a/b'],
    ['https://a/b?_nc_rid', 'https://a/b'],
    ['https://a/b?_nc_rid=x=y&_nc_rid=z&oe=1', 'https://a/b?oe=1'],
    ['https://a/b?_nc_rid=x#part', 'https://a/b#part'],
    ['https://a/b?x=1&_nc_rid=2#?_nc_rid=3', 'https://a/b?x=1#?_nc_rid=3'],
    ['https://a/b', 'https://a/b'],
    ['https://a/_nc_rid=x', 'https://a/_nc_rid=x'],
    ['https://a/b?my_nc_rid=x', 'https://a/b?my_nc_rid=x'],
    ['', ''],
  ])('turns %s into %s', (url, left) => {
    expect(withoutParameters(url, ['_nc_rid'])).toBe(left);
  });

  test('keeps the rest of the URL byte for byte', () => {
    const url = 'https://a/%7Eb?x=%2F+&y&&z=%E2%82%AC&gone=1';

    expect(withoutParameters(url, ['gone'])).toBe('https://a/%7Eb?x=%2F+&y&&z=%E2%82%AC');
    expect(withoutParameters(url, [])).toBe(url);
  });
});
