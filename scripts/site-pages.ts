/**
 * The pages of the documentation site, from the Markdown of `docs/`: the navigation, which is the
 * index in `docs/README.md`, the address of each page, and its links. Paths are relative to the
 * project's root.
 */
import { posix } from 'node:path';

/** A page or a file of the navigation. */
export interface NavigationEntry {
  readonly path: string;
  readonly label: string;
  /** The question that the page answers; empty for a page below another. */
  readonly summary: string;
  /** The pages that the page lists, if it is the `README.md` of a folder. */
  readonly children: readonly NavigationEntry[];
}

/** A heading of the index with its pages. */
export interface NavigationPart {
  readonly label: string;
  readonly entries: readonly NavigationEntry[];
}

/** Where a version of the site stands, and the revision that its links to the sources name. */
export interface SiteAddress {
  /** The address of the repository, without a slash at its end. */
  readonly repository: string;
  /** A tag, or `next`, the state of the branch `main`. */
  readonly version: string;
}

export const index = 'docs/README.md';

/**
 * Reads the navigation: the lists of pages in the index, by heading.
 *
 * @param read - returns the text of a file
 */
export function readNavigation(read: (path: string) => string): readonly NavigationPart[] {
  const [, ...sections] = read(index).split(/^## /m);
  return sections
    .map((section) => ({
      label: section.slice(0, section.indexOf('\n')),
      entries: entriesOf(section, read),
    }))
    .filter(({ entries }) => entries.length > 0);
}

function entriesOf(section: string, read: (path: string) => string): NavigationEntry[] {
  const items = section.matchAll(/^- \[([^\]]+)\]\(([^)]+)\): ([^]*?)(?=^- |^\n)/gm);
  return [...items].map(([, label = '', target = '', summary = '']) => {
    const path = posix.join(posix.dirname(index), target);
    return { path, label, summary: plain(summary), children: childrenOf(path, read) };
  });
}

/** Returns the pages in the numbered list of a folder's `README.md`. */
function childrenOf(path: string, read: (path: string) => string): NavigationEntry[] {
  if (posix.basename(path) !== 'README.md') return [];
  const items = read(path).matchAll(/^(\d+\. )\[(.+)\]\((.+)\)$/gm);
  return [...items].map(([, number = '', label = '', target = '']) => ({
    path: posix.join(posix.dirname(path), target),
    label: number + plain(label),
    summary: '',
    children: [],
  }));
}

/** Returns Markdown as a line of text. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '').replaceAll(/\s+/g, ' ').trim();
}

/** Returns the Markdown pages of the navigation, with the index as the first. */
export function pagesOf(navigation: readonly NavigationPart[]): readonly NavigationEntry[] {
  const home = { path: index, label: 'Home', summary: '', children: [] };
  const entries = navigation.flatMap((part) => part.entries);
  return [home, ...entries, ...entries.flatMap(({ children }) => children)].filter(({ path }) =>
    path.endsWith('.md'),
  );
}

/** Returns the pages among the files of `docs/` that the navigation lacks. */
export function unlistedPages(
  pages: readonly NavigationEntry[],
  files: readonly string[],
): readonly string[] {
  const listed = new Set(pages.map(({ path }) => path));
  return files.filter((path) => path.endsWith('.md') && !listed.has(path));
}

/**
 * Returns the path of a page or file below the address of the site's version. `docs/security.md`
 * and `SECURITY.md` differ, although addresses have small letters.
 */
export function addressOf(path: string): string {
  const inSite = path.startsWith('docs/') ? path.slice('docs/'.length) : `project/${path}`;
  if (!inSite.endsWith('.md')) return inSite;
  const page = inSite.replace(/(^|\/)README\.md$/, '$1').replace(/\.md$/, '/');
  return page.toLowerCase();
}

/** The address of a version's pages on their host, with a slash at both ends. */
export function baseOf({ repository, version }: SiteAddress): string {
  return `/${posix.basename(repository)}/${version}/`;
}

/** Options of the links of a page. */
export interface LinkOptions {
  readonly site: SiteAddress;
  readonly pages: ReadonlySet<string>;
  /** Returns the kind of a path; undefined for none. */
  readonly kindOf: (path: string) => 'file' | 'folder' | undefined;
}

/**
 * Rewrites the relative links of a page: to the pages of the site, to its files, and for everything
 * outside of `docs/` to the repository at the version.
 *
 * @throws Error if a link leads nowhere
 */
export function rewriteLinks(path: string, text: string, options: LinkOptions): string {
  const parts = text.split(/(^ *```[^]*?^ *```$)/m);
  const rewrite = (prose: string): string =>
    prose.replaceAll(
      /\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)/g,
      (_, target: string, anchor = '') => `](${hrefOf(path, target, options)}${anchor})`,
    );
  // Every second part is a block of code.
  return parts.map((part, n) => (n % 2 === 0 ? rewrite(part) : part)).join('');
}

function hrefOf(page: string, target: string, { site, pages, kindOf }: LinkOptions): string {
  const path = posix.join(posix.dirname(page), target).replace(/\/$/, '');
  const kind = kindOf(path);
  if (kind === undefined) {
    throw new Error(`${page}: the link to ${target} leads to no file: correct or remove it`);
  }
  const readme = `${path}/README.md`;
  const own = kind === 'folder' && pages.has(readme) ? readme : path;
  if (pages.has(own) || (kind === 'file' && isFileOfSite(own)))
    return baseOf(site) + addressOf(own);
  const revision = site.version === 'next' ? 'main' : site.version;
  return `${site.repository}/${kind === 'file' ? 'blob' : 'tree'}/${revision}/${path}`;
}

/** True for what the site serves beside its pages: pictures and machine-readable descriptions. */
export function isFileOfSite(path: string): boolean {
  return path.startsWith('docs/') && !path.endsWith('.md');
}

/** Splits a page into its title, as a line of text, and the rest. */
export function splitTitle(path: string, text: string): { title: string; body: string } {
  const [heading = '', title] = /^# (.+)\n/m.exec(text) ?? [];
  if (title === undefined) throw new Error(`${path}: got no title, expected a line "# Title"`);
  return { title: plain(title), body: text.replace(heading, '') };
}

/** Returns the versions among the names of folders, the newest first; `next` precedes releases. */
export function versionsOf(folders: readonly string[]): readonly string[] {
  const releases = folders.filter((name) => /^v\d+\.\d+\.\d+$/.test(name));
  const newestFirst = releases.toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return [...folders.filter((name) => name === 'next'), ...newestFirst];
}
