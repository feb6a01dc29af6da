import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@jest/globals';
import { quotaFigures } from '../../../bench/quota-figures.ts';
import { renderBenchmarks, renderChaos, renderInvariants } from '../../../scripts/evidence-page.ts';
import { readRecordedRuns, recordTimes } from '../../../scripts/recorded-runs.ts';

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

test('evidence page: shows the figures of the quota with each login, the plan and Airbyte once they are on record', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evidence-'));
  const file = pathToFileURL(join(folder, 'evidence.json'));
  const empty = '{"benchmarks":{},"chaos":[]}';
  writeFileSync(file, empty);
  const cost = (calls: number) => ({ calls, requests: 20, seconds: 1.5, peakRssMb: calls });
  const login = { first: cost(3), poll: cost(2), day: cost(1), ratios: { first: 1.004, day: 0.9 } };
  const airbyte = { first: 40, sync: 30 };
  const figures = quotaFigures({ facebook: login, instagram: login, airbyte });

  const refused = recordTimes('quota', { cores: 2, load: 2, figures }, file);
  const kept = readFileSync(file, 'utf8');
  const accepted = recordTimes('quota', { cores: 2, load: 0.5, figures }, file);
  const page = renderBenchmarks(readRecordedRuns(file).benchmarks);
  rmSync(folder, { recursive: true });

  expect(refused).toBe('quota is not put on record: the load before was 2 on 2 cores');
  expect([kept, accepted]).toEqual([empty, null]);
  expect(page.split('\n').slice(6)).toEqual([
    ...['facebook', 'instagram'].flatMap((name) => [
      ...['first', 'poll', 'day'].flatMap((part, index) => [
        `| ${name} ${part} calls | ${3 - index} |`,
        `| ${name} ${part} requests | 20 |`,
        `| ${name} ${part} seconds | 1.5 |`,
      ]),
      `| ${name} plan ratio first | 1 |`,
      `| ${name} plan ratio day | 0.9 |`,
    ]),
    '| airbyte first | 40 |',
    '| airbyte sync | 30 |',
    '| peak rss mb | 3 |',
  ]);
});

test('evidence page: names a test for every invariant', () => {
  const lines = renderInvariants().split('\n');

  expect(lines.map((line) => /^\d+/.exec(line)?.[0])).toEqual(
    Array.from({ length: 10 }, (_, index) => String(index + 1)),
  );
  expect(lines.filter((line) => !line.includes('.test.ts`'))).toEqual([]);
});
