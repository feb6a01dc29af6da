import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { anchorsOf, rowsBelow } from './markdown.ts';

const root = new URL('../../../', import.meta.url);
const examples = readdirSync(new URL('examples/', root), { recursive: true }).map(String);
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`),
  ...readdirSync(new URL('docs/decisions/', root)).map((name) => `docs/decisions/${name}`),
  ...readdirSync(new URL('docs/operations/', root)).map((name) => `docs/operations/${name}`),
  ...examples.filter((name) => !name.includes('.venv')).map((name) => `examples/${name}`),
].filter((name) => name.endsWith('.md'));

/** The files that the example in CONTRIBUTING adds. */
const addedFiles = new Set(['avro/comments.avsc', 'src/instagram/streams/comments.ts']);

function read(page: string): string {
  return readFileSync(new URL(page, root), 'utf8');
}

/** Files and folders that a page names in code, from the project's root. */
function pathsIn(text: string): readonly string[] {
  const named = text.matchAll(
    /`((?:\.ci|avro|bench|config|deploy|docs|examples|sandbox|scripts|src|test|web)\/[\w./-]*)`/g,
  );
  return [...named].map(([, path = '']) => path);
}

interface Link {
  readonly page: string;
  /** Relative to the page; empty for the page itself. */
  readonly file: string;
  readonly anchor: string;
}

function linksIn(page: string): readonly Link[] {
  const links = read(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g);
  return [...links].map(([, file = '', anchor = '']) => ({ page, file, anchor }));
}

function leadsSomewhere({ page, file, anchor }: Link): boolean {
  const target = new URL(file, new URL(page, root));
  if (!existsSync(target)) return false;
  return anchor === '' || anchorsOf(readFileSync(target, 'utf8')).has(anchor);
}

describe('the documentation', () => {
  test('names only existing files', () => {
    const missing = pages.flatMap((page) =>
      pathsIn(read(page))
        .filter((path) => !addedFiles.has(path) && !existsSync(new URL(path, root)))
        .map((path) => `${page}: ${path}`),
    );

    expect(missing).toEqual([]);
  });

  test("names for each invariant a test that cites the invariant's number", () => {
    const [, section = ''] = read('docs/architecture.md').split('\n## Invariants\n');
    const items = [...section.matchAll(/^(\d)\. [^]*?(?=^\d\. |^## )/gm)];
    const proved = items
      .filter(([item, number = '']) =>
        pathsIn(item).some(
          (path) => path.endsWith('.test.ts') && read(path).includes(`Invariant ${number}`),
        ),
      )
      .map(([, number]) => number);

    expect(proved).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  test('links only to existing pages and headings', () => {
    expect(pages.flatMap(linksIn).filter((link) => !leadsSomewhere(link))).toEqual([]);
  });
});

describe('README', () => {
  const readme = read('README.md');

  test('has fewer lines than a first screen may have', () => {
    expect(readme.split('\n').length - 1).toBeLessThan(150);
  });

  test('names for each guarantee a test that proves it', () => {
    const rows = rowsBelow(readme, '## Guarantees');

    expect(rows.length).toBeGreaterThan(9);
    expect(rows.filter(([, , proof = '']) => !/\(test\/\S+\.test\.ts\)/.test(proof))).toEqual([]);
  });

  test('shows every picture of docs/pictures/, each with a text in its place', () => {
    const [inMarkdown, inHtml] = [/!\[[^\]]+\]\(([^)]+)\)/g, /<img alt="[^"]+" src="([^"]+)"/g];
    const forDark = /<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)"/g;
    const shown = [inMarkdown, inHtml, forDark].flatMap((form) =>
      [...readme.matchAll(form)].map(([, file = '']) => file),
    );
    const pictures = readdirSync(new URL('docs/pictures/', root));

    expect(pictures.length).toBeGreaterThan(1);
    expect(shown.sort()).toEqual(pictures.map((name) => `docs/pictures/${name}`).sort());
  });

  test('keeps each picture below its maximum size', () => {
    const sizes = readdirSync(new URL('docs/pictures/', root)).map((name) => {
      const { size } = statSync(new URL(`docs/pictures/${name}`, root));
      return { name, size };
    });

    expect(sizes.filter(({ size }) => size === 0 || size > 120_000)).toEqual([]);
  });
});
