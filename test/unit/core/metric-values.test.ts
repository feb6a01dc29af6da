import { describe, expect, test } from '@jest/globals';
import type { Json, Node } from '../../../src/core/json.ts';
import { breakdownCounts, dataOf, metricValues } from '../../../src/core/metric-values.ts';
import { thrownBy } from '../../support/frozen.ts';

const answer = (...data: readonly Json[]): Node => ({ data });

describe('metricValues', () => {
  test.each([
    ['a lifetime value', { values: [{ value: 2006 }] }, 2006],
    ['a zero', { values: [{ value: 0 }] }, 0],
    ['a total', { total_value: { value: 3 } }, 3],
    ['the first of both', { values: [{ value: 1 }], total_value: { value: 2 } }, 1],
    ['a map of hours', { values: [{ value: { '9': 20 } }] }, { '9': 20 }],
    ['null', { values: [{ value: null }] }, null],
  ])('takes %s', (_what, metric, value) => {
    const insights = answer({ name: 'reach', ...metric });

    expect(metricValues(insights, insights)).toEqual({ reach: value });
  });

  test.each([
    ['no values', {}],
    ['an empty list of values', { values: [] }],
    ['a total without a value', { total_value: {} }],
    ['a total that PHP wrote as an empty list', { total_value: [] }],
  ])('leaves out a metric with %s', (_what, metric) => {
    const insights = answer({ name: 'reach', ...metric });

    expect(metricValues(insights, insights)).toEqual({});
  });

  test('puts a breakdown beside its metric', () => {
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

    expect(metricValues(insights, insights)).toEqual({
      navigation: 25,
      navigation_actions: { tap_forward: 19, tap_exit: 6 },
    });
  });

  // Invariant 5
  test.each([
    ['insights.data[1].name', answer({ name: 'reach' }, {})],
    ['insights.data[0].values', answer({ name: 'reach', values: 'x' })],
    ['insights.data[0].values[0]', answer({ name: 'reach', values: [5] })],
    ['insights.data[0].total_value', answer({ name: 'reach', total_value: 5 })],
    [
      'insights.data[0].total_value.breakdowns',
      answer({ name: 'reach', values: [{ value: 1 }], total_value: { breakdowns: 5 } }),
    ],
  ])('refuses what is not an answer by name (Invariant 5): %s', (path, insights) => {
    const root = { id: '1', insights };

    expect(thrownBy(() => metricValues(insights, root))).toMatchObject({
      name: 'DeadLetterError',
      code: 'mapping.invalid',
      path,
      raw: JSON.stringify(root),
    });
  });
});

describe('dataOf', () => {
  test.each([
    ['insights.data', undefined],
    ['insights.data', []],
    ['insights.data', { data: {} }],
    ['insights.data[1]', { data: [{}, null] }],
  ])('refuses %s of %j', (path, insights) => {
    expect(thrownBy(() => dataOf(insights, { id: '1' }))).toMatchObject({
      path,
      raw: '{"id":"1"}',
    });
  });
});

describe('breakdownCounts', () => {
  const metric = (results: Json): Node => ({ total_value: { breakdowns: [{ results }] } });

  test('joins several dimensions with a comma', () => {
    expect(
      breakdownCounts(
        metric([
          { dimension_values: ['18-24', 'F'], value: 3 },
          { dimension_values: ["Marseille, Provence-Alpes-Côte d'Azur"], value: 2 },
        ]),
      ),
    ).toEqual({ '18-24,F': 3, "Marseille, Provence-Alpes-Côte d'Azur": 2 });
  });

  test.each([
    [{}],
    [{ total_value: {} }],
    [{ total_value: { breakdowns: [] } }],
    [{ total_value: { breakdowns: [{ dimension_keys: ['city'] }] } }],
    [metric([])],
  ])('is nothing when there are no results: %j', (node) => {
    expect(breakdownCounts(node)).toBeUndefined();
  });

  test.each([
    ['', 7],
    ['.dimension_values', { value: 1 }],
    ['.dimension_values', { dimension_values: [1], value: 1 }],
    ['.value', { dimension_values: ['DE'] }],
    ['.value', { dimension_values: ['DE'], value: '3' }],
    ['.value', { dimension_values: ['DE'], value: 1.5 }],
  ])('refuses a result at results[1]%s when it is %j', (path, result) => {
    const node = metric([{ dimension_values: ['FR'], value: 1 }, result]);

    expect(thrownBy(() => breakdownCounts(node))).toMatchObject({
      path: `total_value.breakdowns[0].results[1]${path}`,
      raw: JSON.stringify(node),
    });
  });
});
