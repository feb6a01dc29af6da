import { largest } from '../engine/extremes.ts';
import { printable } from '../engine/printable.ts';

/** Formats rows in columns, each as wide as its widest cell; ends with a line break. */
export function asTable(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths = (rows[0] ?? []).map((_, column) =>
    largest(
      rows.map((row) => row[column]?.length ?? 0),
      0,
    ),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}
