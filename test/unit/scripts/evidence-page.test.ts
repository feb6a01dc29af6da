import { expect, test } from '@jest/globals';
import { renderBenchmarks, renderChaos, renderInvariants } from '../../../scripts/evidence-page.ts';

test('evidence page: shows the counts of each chaos run with its seed', () => {
  const result = { faults: { kill: 2, pause: 1 }, records: 900, lost: 0, duplicated: 1 };
  const counts = { reordered: 0, state_ahead: 0, state_behind: 0 };
  const run = { date: '2026-11-30', seed: 7, minutes: 3, instances: 2 };

  expect(
    renderChaos([{ ...run, result: { ...result, ...counts } }])
      .split('\n')
      .at(-1),
  ).toBe('| 2026-11-30 | 7 | 3 | 2 | 3 | 900 | 0 | 1 | 0 | 0 | 0 |');
});

test('evidence page: says that no run is on record', () => {
  expect(renderChaos([])).toBe('No run is on record.');
  expect(renderBenchmarks({})).toBe('No part is on record.');
});

test('evidence page: shows each figure of a benchmark with its path, the day and the load', () => {
  const figures = { requests: { first: { calls: 1200 }, name: 'ignored' } };
  const page = renderBenchmarks({ requests: { date: '2026-11-30', cores: 2, load: 0.4, figures } });

  expect(page).toContain('### requests\n\n2026-11-30, 2 cores, load 0.4.');
  expect(page.split('\n').at(-1)).toBe('| first calls | 1,200 |');
});

test('evidence page: shows a column for each variant of a part whose variants have the same figures', () => {
  const figures = { compression: { gzip: { tx_ms: { 1: 3.77 } }, zstd: { tx_ms: { 1: 2.4 } } } };
  const page = renderBenchmarks({
    compression: { date: '2026-11-30', cores: 2, load: 0.4, figures },
  });

  expect(page.split('\n').slice(-3)).toEqual([
    '| Figure | gzip | zstd |',
    '| --- | --- | --- |',
    '| tx ms 1 | 3.77 | 2.4 |',
  ]);
});

test('evidence page: names a test for every invariant', () => {
  const lines = renderInvariants().split('\n');

  expect(lines.map((line) => /^\d+/.exec(line)?.[0])).toEqual(
    Array.from({ length: 10 }, (_, index) => String(index + 1)),
  );
  expect(lines.filter((line) => !line.includes('.test.ts`'))).toEqual([]);
});
