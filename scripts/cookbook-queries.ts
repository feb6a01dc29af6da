import { readFileSync } from 'node:fs';

/** The statements of the examples that a page shows; the tests of the examples run them. */
const queries = {
  followers: ['postgres/views.sql', 'CREATE OR REPLACE VIEW followers_by_day AS'],
  'final days': ['postgres/views.sql', 'CREATE OR REPLACE VIEW final_days AS'],
  'first 48 hours': ['postgres/views.sql', 'CREATE OR REPLACE VIEW first_48_hours AS'],
  'first 48 hours by hour': [
    'postgres/views.sql',
    'CREATE OR REPLACE VIEW first_48_hours_by_hour AS',
  ],
  'first 48 hours in Flink': ['flink/first-48-hours.sql', 'CREATE VIEW first_48_hours AS'],
  'first 48 hours in ClickHouse': ['clickhouse/tables.sql', 'CREATE VIEW first_48_hours AS'],
  'story finals': ['postgres/views.sql', 'CREATE OR REPLACE VIEW story_finals AS'],
  'story exits': ['postgres/views.sql', 'CREATE OR REPLACE VIEW story_exits AS'],
  'posting hour': ['postgres/views.sql', 'CREATE OR REPLACE VIEW best_posting_hour AS'],
} as const;

/** The renderers of the parts of `docs/cookbook.md`. */
export const cookbookQueries: Readonly<Record<string, () => string>> = Object.fromEntries(
  Object.entries(queries).map(([name, [file, start]]) => [name, () => renderQuery(file, start)]),
);

/** Renders the statement of a file that begins with a text, to its semicolon. */
function renderQuery(file: string, start: string): string {
  const text = readFileSync(new URL(`../examples/${file}`, import.meta.url), 'utf8');
  const from = text.indexOf(start);
  const end = text.indexOf(';\n', from);
  if (from < 0 || end < 0) throw new Error(`examples/${file}: expected a statement "${start}"`);
  return `\`\`\`sql\n${text.slice(from, end + 1)}\n\`\`\``;
}
