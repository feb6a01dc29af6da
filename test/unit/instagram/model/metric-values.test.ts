import { describe, expect, test } from '@jest/globals';
import type { DeadLetterError } from '../../../../src/engine/errors.ts';
import type { Json, Node } from '../../../../src/engine/json.ts';
import {
  breakdownCounts,
  dataOf,
  metricValues,
} from '../../../../src/instagram/model/metric-values.ts';
import { thrownBy } from '../../../support/frozen.ts';

const answer = (...data: readonly Json[]): Node => ({ data });

/** The values of an answer, and its rejections. */
function reading<T>(read: (rejected: DeadLetterError[]) => T) {
  const rejected: DeadLetterError[] = [];
  return { value: read(rejected), rejected };
}

const valuesOf = (insights: Json | undefined, root: Node = { id: '1' }) =>
  reading((rejected) => metricValues(insights, root, rejected));

const countsOf = (metric: Node) => reading((rejected) => breakdownCounts(metric, rejected));

describe('metricValues', () => {
  test.each([
    ['a lifetime value', { values: [{ value: 2006 }] }, 2006],
    ['a zero', { values: [{ value: 0 }] }, 0],
    ['a fraction', { values: [{ value: 48.4 }] }, 48.4],
    ['a total', { total_value: { value: 3 } }, 3],
    ['the first of both', { values: [{ value: 1 }], total_value: { value: 2 } }, 1],
    ['null', { values: [{ value: null }] }, null],
  ])('reads %s', (_what, metric, value) => {
    expect(valuesOf(answer({ name: 'reach', ...metric }))).toEqual({
      value: { reach: value },
      rejected: [],
    });
  });

  test('keeps the breakdown of a metric whose value is invalid', () => {
    const breakdowns = [{ results: [{ dimension_values: ['tap_exit'], value: 3 }] }];
    const metric = { name: 'navigation', values: [{ value: '7' }], total_value: { breakdowns } };
    const { value, rejected } = valuesOf(answer(metric));

    expect(value).toEqual({ navigation_actions: { tap_exit: 3 } });
    expect(rejected.map(({ path }) => path)).toEqual(['insights.data[0].values[0].value']);
  });

  test('rejects once a total that is neither a value nor a breakdown', () => {
    const { rejected } = valuesOf(answer({ name: 'navigation', total_value: 5 }));

    expect(rejected.map(({ path }) => path)).toEqual(['insights.data[0].total_value']);
  });

  test.each([
    ['no values', {}],
    ['an empty list of values', { values: [] }],
    ['values that are null', { values: null }],
    ['a total without a value', { total_value: {} }],
    ['a total that PHP wrote as an empty list', { total_value: [] }],
  ])('omits a metric with %s', (_what, metric) => {
    expect(valuesOf(answer({ name: 'reach', ...metric }))).toEqual({ value: {}, rejected: [] });
  });

  test.each([[null], [{}], [[]]])('returns no metric when the list is %j', (data) => {
    expect(valuesOf({ data })).toEqual({ value: {}, rejected: [] });
  });

  test('adds the breakdown to the value of its metric', () => {
    const insights = answer({
      name: 'navigation',
      values: [{ value: 25 }],
      total_value: {
        value: 25,
        breakdowns: [
          {
            dimension_keys: ['story_navigation_action_type'],
            results: [
              { dimension_values: ['tap_forward'], value: 19 },
              { dimension_values: ['tap_exit'], value: 6 },
            ],
          },
        ],
      },
    });

    expect(valuesOf(insights)).toEqual({
      value: { navigation: 25, navigation_actions: { tap_forward: 19, tap_exit: 6 } },
      rejected: [],
    });
  });

  // Invariants 3 and 5
  test.each([
    ['insights.data[1]', null, 'an object, got null'],
    ['insights.data[1]', 'x', 'an object, got string'],
    ['insights.data[1].name', {}, 'a text, got nothing'],
    ['insights.data[1].name', { name: 7, values: [] }, 'a text, got number'],
    ['insights.data[1].values', { name: 'views', values: 'n/a' }, 'a list, got string'],
    ['insights.data[1].values[0]', { name: 'views', values: [5] }, 'an object, got number'],
    [
      'insights.data[1].values[0].value',
      { name: 'views', values: [{ value: 'n/a' }] },
      'a number, got string',
    ],
    [
      'insights.data[1].values[0].value',
      { name: 'views', values: [{ value: { a: 1 } }] },
      'a number, got object',
    ],
    ['insights.data[1].total_value', { name: 'views', total_value: 5 }, 'an object, got number'],
    [
      'insights.data[1].total_value.value',
      { name: 'views', total_value: { value: true } },
      'a number, got boolean',
    ],
  ])('rejects %s by its path and keeps the other metrics (Invariant 3)', (...given) => {
    const [path, metric, words] = given;
    const insights = answer({ name: 'reach', values: [{ value: 1 }] }, metric, {
      name: 'likes',
      values: [{ value: 2 }],
    });
    const root = { id: '1', insights };
    const { value, rejected } = valuesOf(insights, root);

    expect(value).toEqual({ reach: 1, likes: 2 });
    expect(rejected).toMatchObject([
      {
        name: 'DeadLetterError',
        code: 'mapping.invalid',
        path,
        raw: JSON.stringify(root),
        message: `field "${path}": expected ${words}`,
      },
    ]);
  });

  test('keeps the total of a metric whose breakdown is invalid', () => {
    const { value, rejected } = valuesOf(
      answer({ name: 'reach', values: [{ value: 1 }], total_value: { breakdowns: 5 } }),
    );

    expect(value).toEqual({ reach: 1 });
    expect(rejected.map(({ path }) => path)).toEqual(['insights.data[0].total_value.breakdowns']);
  });

  test.each(['__proto__', 'constructor', 'toString'])('keeps a metric named %s', (name) => {
    const { value } = valuesOf(answer({ name, values: [{ value: 1 }] }));

    expect(JSON.stringify(value)).toBe(`{"${name}":1}`);
  });
});

describe('dataOf', () => {
  test.each([
    ['an answer of undefined', undefined],
    ['an answer without a list', []],
    ['a list that is a string', { data: 'x' }],
    ['a list that is an object', { data: { a: 1 } }],
  ])('throws for %s', (_what, insights) => {
    expect(thrownBy(() => dataOf(insights, { id: '1' }, []))).toMatchObject({
      name: 'DeadLetterError',
      path: 'insights.data',
      raw: '{"id":"1"}',
    });
  });

  test('rejects an entry that is not a metric and keeps the others', () => {
    const insights = { data: [null, { name: 'reach' }, {}] };
    const { value, rejected } = reading((list) => dataOf(insights, { id: '1' }, list));

    expect(value).toEqual([{ name: 'reach' }]);
    expect(rejected.map(({ path }) => path)).toEqual(['insights.data[0]', 'insights.data[2].name']);
  });
});

describe('breakdownCounts', () => {
  const metric = (results: Json, keys: readonly string[] = []): Node => ({
    total_value: { breakdowns: [{ dimension_keys: keys, results }] },
  });

  test('joins several dimensions with a comma', () => {
    const results = [
      { dimension_values: ['18-24', 'F'], value: 3 },
      { dimension_values: ["Marseille, Provence-Alpes-Côte d'Azur"], value: 2 },
    ];

    expect(countsOf(metric(results)).value).toEqual({
      '18-24,F': 3,
      "Marseille, Provence-Alpes-Côte d'Azur": 2,
    });
  });

  test('adds up results with equal dimension values', () => {
    const results = [
      { dimension_values: ['Springfield'], value: 300 },
      { dimension_values: ['Berlin'], value: 5 },
      { dimension_values: ['Springfield'], value: 41 },
    ];

    expect(countsOf(metric(results))).toEqual({
      value: { Springfield: 341, Berlin: 5 },
      rejected: [],
    });
  });

  test.each(['__proto__', 'constructor', 'toString'])('keeps the dimension value %s', (name) => {
    const results = [
      { dimension_values: [name], value: 1 },
      { dimension_values: [name], value: 2 },
    ];

    expect(JSON.stringify(countsOf(metric(results)).value)).toBe(`{"${name}":3}`);
  });

  test.each([
    [{}],
    [{ total_value: {} }],
    [{ total_value: { breakdowns: [] } }],
    [{ total_value: { breakdowns: [{ dimension_keys: ['city'] }] } }],
    [metric([])],
    [metric(null)],
  ])('returns undefined when there are no results: %j', (node) => {
    expect(countsOf(node)).toEqual({ value: undefined, rejected: [] });
  });

  // Invariant 3
  test.each([
    ['', 7],
    ['', null],
    ['.dimension_values', { value: 1 }],
    ['.dimension_values', { dimension_values: null, value: 1 }],
    ['.dimension_values', { dimension_values: [], value: 1 }],
    ['.dimension_values', { dimension_values: [1], value: 1 }],
    ['.dimension_values', { dimension_values: [null], value: 1 }],
    ['.dimension_values', { dimension_values: ['DE', 'F'], value: 1 }],
    ['.value', { dimension_values: ['DE'] }],
    ['.value', { dimension_values: ['DE'], value: null }],
    ['.value', { dimension_values: ['DE'], value: '3' }],
    ['.value', { dimension_values: ['DE'], value: 1.5 }],
  ])('rejects results[1]%s of %j and keeps the other results (Invariant 3)', (path, result) => {
    const fr = { dimension_values: ['FR'], value: 1 };
    const es = { dimension_values: ['ES'], value: 2 };
    const node = metric([fr, result, es], ['country']);
    const { value, rejected } = countsOf(node);

    expect(value).toEqual({ FR: 1, ES: 2 });
    expect(rejected).toMatchObject([
      { path: `total_value.breakdowns[0].results[1]${path}`, raw: JSON.stringify(node) },
    ]);
  });

  test.each([
    ['total_value', { total_value: 5 }],
    ['total_value.breakdowns[0].results', metric('x')],
    ['total_value.breakdowns[0].results[0]', metric([7, null])],
  ])('throws with path %s when no result is valid', (path, node) => {
    expect(thrownBy(() => countsOf(node))).toMatchObject({ path, raw: JSON.stringify(node) });
  });
});
