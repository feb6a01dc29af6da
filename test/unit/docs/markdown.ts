/** The rows of the last table in the section that a heading begins, as cells without their padding. */
export function rowsBelow(page: string, heading: string): readonly (readonly string[])[] {
  const start = page.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`no section "${heading}"`);
  const section = page.slice(start + heading.length + 1);
  const end = section.search(/\n#{1,3} /);
  const lines = (end < 0 ? section : section.slice(0, end)).split('\n');
  const rows = lines.filter((line) => line.startsWith('|')).map(cellsOf);
  const rule = rows.findLastIndex((cells) => cells.every((cell) => /^:?-+:?$/.test(cell)));
  return rows.slice(rule + 1);
}

function cellsOf(line: string): readonly string[] {
  return line
    .trim()
    .slice(1, -1)
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const prose = page.replaceAll(/^ *```[^]*?^ *```/gm, '');
  const headings = [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, text = '']) => text);
  return new Set(headings.map(anchorOf));
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
