import { readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  addressOf,
  pagesOf,
  readNavigation,
  rewriteLinks,
  splitTitle,
  unlistedPages,
  versionsOf,
} from '../../../scripts/site-pages.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const filesOfDocs = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' }).map(
  (name) => `docs/${name}`,
);

/** The navigation of an index with this text, in a project with one decision. */
function navigationOf(text: string) {
  const decisions = '# Decisions\n\n1. [`ids` are texts](0001-ids.md)\n';
  return readNavigation((path) => (path === 'docs/README.md' ? text : decisions));
}

describe('site: navigation', () => {
  test('has the four kinds of pages', () => {
    expect(readNavigation(read).map(({ label }) => label)).toEqual([
      'Tutorials',
      'How-tos',
      'Reference',
      'Explanation',
    ]);
  });

  test('has each page of docs/ once, with the question that it answers', () => {
    const navigation = readNavigation(read);
    const paths = navigation.flatMap(({ entries }) => entries.map(({ path }) => path));

    expect(unlistedPages(pagesOf(navigation), filesOfDocs)).toEqual([]);
    expect(paths).toEqual([...new Set(paths)]);
    expect(
      navigation.flatMap(({ entries }) => entries.filter(({ summary }) => !summary.endsWith('?'))),
    ).toEqual([]);
  });

  test('reports a page that no list of the index has', () => {
    const pages = pagesOf(navigationOf('# Docs\n\n## Reference\n\n- [A](a.md): What is\n  a?\n\n'));

    expect(
      unlistedPages(pages, ['docs/README.md', 'docs/a.md', 'docs/b.md', 'docs/c.json']),
    ).toEqual(['docs/b.md']);
  });

  test('has the pages of a folder below its README.md', () => {
    const [part] = navigationOf('# Docs\n\n## Why\n\n- [Decisions](decisions/README.md): Why?\n\n');

    expect(part?.entries[0]?.children.map(({ path, label }) => [path, label])).toEqual([
      ['docs/decisions/0001-ids.md', '1. ids are texts'],
    ]);
  });
});

describe('site: page', () => {
  const repository = 'https://github.com/acme/producer';
  const options = (version: string) => ({
    site: { repository, version },
    pages: new Set([
      'docs/README.md',
      'docs/topics.md',
      'docs/decisions/README.md',
      'CHANGELOG.md',
    ]),
    kindOf: (path: string) => {
      const stat = statSync(new URL(path, root), { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      return stat.isDirectory() ? ('folder' as const) : ('file' as const);
    },
  });

  test.each([
    ['topics.md#topics', '/producer/v1.2.3/topics/#topics'],
    ['decisions/', '/producer/v1.2.3/decisions/'],
    ['../CHANGELOG.md', '/producer/v1.2.3/project/changelog/'],
    ['openapi.json', '/producer/v1.2.3/openapi.json'],
    ['../avro/media.avsc', `${repository}/blob/v1.2.3/avro/media.avsc`],
    ['../examples/', `${repository}/tree/v1.2.3/examples`],
    ['#topics', '#topics'],
    ['https://kafka.apache.org/', 'https://kafka.apache.org/'],
  ])('links of a version: %s leads to %s', (target, expected) => {
    const text = `[see](${target})`;

    expect(rewriteLinks('docs/cost.md', text, options('v1.2.3'))).toBe(`[see](${expected})`);
  });

  test('links of next lead to the branch main of the repository', () => {
    expect(rewriteLinks('docs/cost.md', '[see](../avro/media.avsc)', options('next'))).toBe(
      `[see](${repository}/blob/main/avro/media.avsc)`,
    );
  });

  test('keeps blocks of code as they are', () => {
    const text = '```md\n[see](topics.md)\n```\n';

    expect(rewriteLinks('docs/cost.md', text, options('next'))).toBe(text);
  });

  test('rejects a link to a file that does not exist', () => {
    expect(() => rewriteLinks('docs/cost.md', '[see](../no.txt)', options('next'))).toThrow(
      'docs/cost.md: the link to ../no.txt leads to no file',
    );
  });

  test('has its title apart from its text', () => {
    expect(splitTitle('a.md', '<!-- Generated -->\n\n# The `a`\n\nText.\n')).toEqual({
      title: 'The a',
      body: '<!-- Generated -->\n\n\nText.\n',
    });
  });

  test.each([
    ['docs/README.md', ''],
    ['docs/operations/run.md', 'operations/run/'],
    ['CHANGELOG.md', 'project/changelog/'],
    ['docs/openapi.json', 'openapi.json'],
  ])('address of %s is %s', (path, address) => {
    expect(addressOf(path)).toBe(address);
  });
});

test('site: versions are next and the tags, the newest first, without other folders', () => {
  expect(versionsOf(['v0.2.0', '.git', 'v0.10.0', 'index.html', 'next', 'v0.1.0-rc.1'])).toEqual([
    'next',
    'v0.10.0',
    'v0.2.0',
  ]);
});
