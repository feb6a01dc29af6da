/**
 * `npm run site [-- --version TAG] [-- --into DIR]`: builds the documentation site of the working
 * tree, of the version `next` by default, into `DIR/<version>` (`site/dist/<repository>` by
 * default). Other versions in DIR stay; the list of versions is made anew. A broken link fails the
 * build.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  addressOf,
  baseOf,
  index,
  isFileOfSite,
  pagesOf,
  readNavigation,
  rewriteLinks,
  splitTitle,
  unlistedPages,
  versionsOf,
  type NavigationEntry,
  type SiteAddress,
} from './site-pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const generator = join(root, 'site');
const content = join(generator, 'src/content/docs');
const publicFiles = join(generator, 'public');
const manifest = JSON.parse(read('package.json')) as {
  readonly name: string;
  readonly description: string;
  readonly repository: { readonly url: string };
};

const { values } = parseArgs({
  options: { version: { type: 'string', default: 'next' }, into: { type: 'string' } },
});
if (versionsOf([values.version]).length === 0) {
  fail(`--version: got ${values.version}, expected next or a tag such as v1.2.3`);
}
const site: SiteAddress = { repository: repository(), version: values.version };
const versions = resolve(root, values.into ?? join('site/dist', dirname(baseOf(site))));
const target = join(versions, site.version);
writeInput();
install();
npm('run', 'build');
writeVersions();
console.log(`${target}: ${baseOf(site)} of ${site.repository}`);

/** Returns the address in package.json, or of the repository in which the workflow runs. */
function repository(): string {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
  if (server !== undefined && name !== undefined) return `${server}/${name}`;
  return manifest.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function kindOf(path: string): 'file' | 'folder' | undefined {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return stat.isDirectory() ? 'folder' : 'file';
}

/** Returns the files of `docs/`. */
function filesOfDocs(): readonly string[] {
  const names = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  return names.map((name) => `docs/${name}`).filter((path) => kindOf(path) === 'file');
}

/** Writes the pages, files and settings from which the generator builds the site. */
function writeInput(): void {
  for (const folder of [content, publicFiles]) rmSync(folder, { recursive: true, force: true });
  const navigation = readNavigation(read);
  const entries = pagesOf(navigation);
  const unlisted = unlistedPages(entries, filesOfDocs());
  if (unlisted.length > 0) fail(`${unlisted.join(', ')}: not in ${index}; add a line to a list`);
  const links = { site, pages: new Set(entries.map(({ path }) => path)), kindOf };
  for (const { path, summary } of entries) {
    const { title, body } = splitTitle(path, read(path));
    const page = pageOf(path === index ? homeMatter() : { title, description: summary }, body);
    write(join(content, addressOf(path), 'index.md'), rewriteLinks(path, page, links));
  }
  for (const path of filesOfDocs().filter(isFileOfSite)) {
    cpSync(join(root, path), join(publicFiles, addressOf(path)));
  }
  cpSync(join(root, 'web/icon.svg'), join(publicFiles, 'favicon.svg'));
  const sidebar = navigation.map(({ label, entries: items }) => ({
    label,
    items: items.map(sidebarItem),
  }));
  const settings = { ...site, base: baseOf(site), target, title: manifest.name, sidebar };
  write(join(generator, 'src/site.json'), JSON.stringify(settings, null, 2));
}

/** Returns the front matter of the home page, which begins with the program instead of the index. */
function homeMatter(): object {
  const actions = [
    { text: 'Start the tutorial', link: `${baseOf(site)}tutorial/`, icon: 'right-arrow' },
    { text: 'Repository', link: site.repository, icon: 'external', variant: 'minimal' },
  ];
  const { name: title, description } = manifest;
  return { title, description, hero: { title, tagline: description, actions } };
}

/** Returns a page with its front matter; JSON is YAML. */
function pageOf(matter: object, body: string): string {
  return `---\n${JSON.stringify(matter)}\n---\n${body}`;
}

function sidebarItem({ path, label, children }: NavigationEntry): object {
  const link = `/${addressOf(path)}`;
  if (children.length === 0) return { label, link };
  const items = [{ label: 'All', link }, ...children.map(sidebarItem)];
  return { label, collapsed: true, items };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Installs the generator unless the packages of its lock file are there. */
function install(): void {
  const modified = (path: string): number =>
    statSync(join(generator, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  // npm writes this file at the very end of an install.
  if (modified('node_modules/.package-lock.json') > modified('package-lock.json')) return;
  npm('ci');
}

function npm(...args: readonly string[]): void {
  const { status } = spawnSync('npm', args, { cwd: generator, stdio: 'inherit' });
  if (status !== 0)
    fail(
      `npm ${args.join(' ')} in site/ failed: fix the error printed above and run the command again`,
    );
}

/** Writes the list of versions and the redirect to the newest release. */
function writeVersions(): void {
  const listed = versionsOf(readdirSync(versions));
  const start = listed.find((version) => version !== 'next') ?? 'next';
  write(join(versions, 'versions.json'), JSON.stringify(listed));
  const refresh = `<meta http-equiv="refresh" content="0; url=./${start}/">`;
  const page = `<title>${manifest.name}</title>${refresh}<a href="./${start}/">${start}</a>`;
  write(join(versions, 'index.html'), `<!doctype html><html lang="en">${page}</html>\n`);
  // GitHub Pages leaves out folders such as _astro otherwise.
  write(join(versions, '.nojekyll'), '');
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
