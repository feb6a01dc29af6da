import { describe, expect, test } from '@jest/globals';
import { cookbookQueries } from '../../../scripts/cookbook-queries.ts';
import { renderCostByAccounts, renderCostByStream } from '../../../scripts/cost-tables.ts';
import { renderGrowth } from '../../../scripts/growth-table.ts';
import { renderTopics } from '../../../scripts/topic-tables.ts';
import { streamNames } from '../../../src/instagram/streams/index.ts';

/** Returns the rows of a table as cells. */
function rowsOf(table: string): readonly (readonly string[])[] {
  const rows = table.split('\n').map((line) => line.slice(1, -1).split('|'));
  return rows.slice(2).map((cells) => cells.map((cell) => cell.trim()));
}

const numberOf = (text = ''): number => Number(text.replaceAll(',', ''));

describe('the table of topics', () => {
  const rows = rowsOf(renderTopics());

  test('has one row for each stream and each shared topic', () => {
    const shared = ['state', 'dead-letters', 'notifications', 'webhooks'];

    expect(rows.map(([topic]) => topic)).toEqual(
      [...streamNames.map((name) => name.replaceAll('_', '-')), ...shared].map(
        (name) => `\`instagram.${name}\``,
      ),
    );
  });

  test.each([
    ['media', '`id`', 'the key', '6', '`compact`', '–', 'with `KAFKA_TOMBSTONES`'],
    ['users', '`id`', 'the key', '6', '`delete`', '-1 (no limit)', 'none'],
    [
      'state',
      '`<stream>/<account id>`',
      "the account's id",
      '12',
      '`compact`',
      '–',
      'by `state reset`',
    ],
    ['dead-letters', '`<stream>/<account id>`', 'the key', '6', '`delete`', '30 days', 'none'],
  ])('has the key, partitions, retention and tombstones of %s', (name, ...cells) => {
    expect(rows).toContainEqual([`\`instagram.${name}\``, ...cells]);
  });
});

describe('the tables of costs', () => {
  test('agree: the default streams add up to the calls of an account with 1,000 media', () => {
    const streams = rowsOf(renderCostByStream()).filter(([, isDefault]) => isDefault === 'yes');
    const sum = (column: number) =>
      streams.reduce((total, cells) => total + numberOf(cells[column]), 0);
    const [, one = ''] = rowsOf(renderCostByAccounts()).find(([media]) => media === '1,000') ?? [];

    expect(one.split(' / ').map(numberOf)).toEqual([sum(3), sum(4)]);
    expect(sum(3)).toBeGreaterThan(1000);
  });

  test('multiply the calls of an account by the number of accounts', () => {
    const [, one = '', , hundred = ''] = rowsOf(renderCostByAccounts())[0] ?? [];

    expect(hundred.split(' / ').map(numberOf)).toEqual(
      one.split(' / ').map((calls) => 100 * numberOf(calls)),
    );
  });
});

describe('the table of growth', () => {
  test('leaves out the topics whose records others decide about', () => {
    const topics = rowsOf(renderGrowth()).map(([topic]) => topic);

    expect(topics).toContain('`instagram.media-insights`');
    expect(topics).not.toContain('`instagram.comments`');
    expect(topics).not.toContain('`instagram.collaborative-media`');
  });
});

describe('the queries of the cookbook', () => {
  test.each(Object.keys(cookbookQueries))('are one whole statement: %s', (name) => {
    const query = cookbookQueries[name]?.() ?? '';

    expect(query).toMatch(/^```sql\nCREATE (?:OR REPLACE )?VIEW \w+ AS\n/);
    expect(query.match(/;/g)).toHaveLength(1);
    expect(query.endsWith(';\n```')).toBe(true);
  });
});
