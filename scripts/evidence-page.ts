import { readdirSync, readFileSync } from 'node:fs';
import { readRecordedRuns, type RecordedBenchmark, type RecordedChaos } from './recorded-runs.ts';

const root = new URL('../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');

type Row = readonly string[];

function table(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Renders the invariants of docs/architecture.md, each with the test files that cite its number. */
export function renderInvariants(): string {
  const tests = readdirSync(new URL('test/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => ({ file: `test/${name}`, text: read(`test/${name}`) }));
  const [, section = ''] = read('docs/architecture.md').split('\n## Invariants\n');
  const items = section.matchAll(/^(\d+)\. \*\*([^]*?)\*\*/gm);
  return [...items]
    .map(([, number = '', title = '']) => {
      const citing = tests
        .filter(({ text }) => new RegExp(`Invariant ${number}\\b`).test(text))
        .map(({ file }) => `\`${file}\``);
      const name = title.replace(/\s+/g, ' ').replace(/\.$/, '');
      return `${number}. **${name}**: ${citing.join(', ')}`;
    })
    .join('\n');
}

export function renderChaosRuns(): string {
  return renderChaos(readRecordedRuns().chaos);
}

const counted = ['lost', 'duplicated', 'reordered', 'state_ahead', 'state_behind'] as const;

export function renderChaos(runs: readonly RecordedChaos[]): string {
  if (runs.length === 0) return 'No run is on record.';
  const countFaults = (faults: unknown): number =>
    Object.values(faults as Record<string, number>).reduce((sum, count) => sum + count, 0);
  return table(
    ['Date', 'Seed', 'Minutes', 'Instances', 'Faults', 'Records', ...counted],
    runs.map(({ date, seed, minutes, instances, result }) => [
      date,
      ...[seed, minutes, instances, countFaults(result['faults'])].map(String),
      String(result['records']),
      ...counted.map((name) => String(result[name])),
    ]),
  );
}

export function renderFigures(): string {
  return renderBenchmarks(readRecordedRuns().benchmarks);
}

/** Renders a table for each part on record, a row for each figure. */
export function renderBenchmarks(parts: Readonly<Record<string, RecordedBenchmark>>): string {
  const entries = Object.entries(parts);
  if (entries.length === 0) return 'No part is on record.';
  return entries
    .map(([part, { date, cores, load, figures }]) =>
      [
        `### ${part}`,
        `${date}, ${cores} cores, load ${load}.`,
        renderFigureTable(figures[part] ?? figures),
      ].join('\n\n'),
    )
    .join('\n\n');
}

/** Renders a column for each variant when all variants have the same figures, else one column. */
function renderFigureTable(figures: unknown): string {
  const variants = Object.entries(figures as Readonly<Record<string, unknown>>);
  const columns = variants.map(([, inner]) => listFigures(inner));
  const names = columns.map((rows) => rows.map(([name]) => name).join('\n'));
  const isComparable = columns.length > 1 && names[0] !== '' && new Set(names).size === 1;
  if (!isComparable) return table(['Figure', 'Value'], listFigures(figures));
  const rows = (columns[0] ?? []).map(([name = ''], row) => [
    name,
    ...columns.map((column) => column[row]?.[1] ?? ''),
  ]);
  return table(['Figure', ...variants.map(([variant]) => variant)], rows);
}

/** Lists the numbers of nested figures with their paths, as `requests first calls`. */
function listFigures(figures: unknown, path: readonly string[] = []): readonly Row[] {
  if (typeof figures === 'number') return [[path.join(' '), figures.toLocaleString('en-US')]];
  if (typeof figures !== 'object' || figures === null) return [];
  return Object.entries(figures).flatMap(([name, inner]) =>
    listFigures(inner, [...path, wordsOf(name)]),
  );
}

const wordsOf = (name: string): string =>
  name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('_', ' ');
