import { differences } from '../test/support/airbyte/differences.ts';

/** Renders the differences between the records of Airbyte's connector and those of this program. */
export function renderDifferences(): string {
  const rows = differences.map(
    ({ field, theirs, ours, reason }) => `| \`${field}\` | ${theirs} | ${ours} | ${reason} |`,
  );
  return ['| Field | Theirs | Ours | Why |', '|---|---|---|---|', ...rows].join('\n');
}
