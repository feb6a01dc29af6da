/**
 * `npm run structure [-- COMMIT]`: measures size and readability of the sources, in the working
 * tree or a commit: figures that a move or a rename should improve. Prints a table and, last, a
 * line of JSON.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const commit = process.argv[2];
const tree = commit === undefined ? root : checkOut(commit);

/** Writes the files of a commit into a new temporary folder. */
function checkOut(revision: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'structure-'));
  const archive = join(folder, 'tree.tar');
  git('archive', '--format=tar', `--output=${archive}`, revision);
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  process.on('exit', () => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
}

function pathsOf(pattern: RegExp): readonly string[] {
  const listed =
    commit === undefined ? git('ls-files') : git('ls-tree', '-r', '--name-only', commit);
  return listed.split('\n').filter((path) => pattern.test(path));
}

function read(path: string): SourceFile {
  return { path, text: readFileSync(join(tree, path), 'utf8') };
}

const linesOf = ({ text }: SourceFile): number => text.split('\n').length - 1;

/** Returns the folder directly under `src/`; a file beside them is a folder of its own. */
function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** Returns the relative imports of a file, as paths from the root. */
function importsOf({ path, text }: SourceFile): readonly string[] {
  return [...text.matchAll(/(?:from|import)\s+'(\.[^']+)'/g)].map(([, target = '']) =>
    normalize(`${dirname(path)}/${target}`),
  );
}

/** Counts the cycles of imports in `src/`, types included, as dependency-cruiser finds them. */
async function countCycles(): Promise<number> {
  const { output } = await cruise(
    ['src'],
    {
      baseDir: tree,
      tsPreCompilationDeps: true,
      doNotFollow: { path: 'node_modules' },
      ruleSet: { forbidden: [{ name: 'cycle', from: {}, to: { circular: true } }] },
      validate: true,
    },
    { extensions: ['.ts'] },
  );
  if (typeof output === 'string') throw new Error('dependency-cruiser printed a report');
  const members = output.summary.violations.map(({ cycle = [] }) => cycle.map(({ name }) => name));
  return new Set(members.map((names) => names.toSorted().join(' '))).size;
}

/** Returns type names that more than one file declares. */
function duplicateTypesOf(files: readonly SourceFile[]): readonly string[] {
  const owners = new Map<string, Set<string>>();
  for (const { path, text } of files) {
    for (const [, name = ''] of text.matchAll(/^(?:export )?(?:interface|type|class) (\w+)/gm)) {
      owners.set(name, (owners.get(name) ?? new Set()).add(path));
    }
  }
  return [...owners].filter(([, paths]) => paths.size > 1).map(([name]) => name);
}

/** Returns the text of each comment's first line. */
function commentsOf({ text }: SourceFile): readonly string[] {
  return [...text.matchAll(/^\s*(?:\/\*\*?|\/\/)\s*(\S.*)$/gm)].map(([, line = '']) => line);
}

const questionWord = /^(?:What|Who|Whom|Whose|Whether|That|Which|How|Why)\b/;

/**
 * Counts lines of Markdown prose over 110 characters; tables, code and links that cannot be wrapped
 * are excluded.
 */
function longLinesOf({ text }: SourceFile): number {
  let isCode = false;
  return text.split('\n').filter((line) => {
    if (/^\s*(?:```|~~~)/.test(line)) isCode = !isCode;
    return !isCode && line.length > 110 && !/^\s*(?:\||<)|^ {4}|^\[[^\]]+\]: /.test(line);
  }).length;
}

/** Counts the files of the newest commit that added a file to the folder of streams. */
function filesOfLastStream(): number | null {
  const scope = ['src/streams/*.ts', 'src/instagram/streams/*.ts'];
  // A rename adds no stream.
  const log = [
    'log',
    '-1',
    '-M50%',
    '--diff-filter=A',
    '--format=%H',
    commit ?? 'HEAD',
    '--',
    ...scope,
  ];
  const hash = git(...log).trim();
  if (hash === '') return null;
  return git('show', '--format=', '--name-only', hash).trim().split('\n').length;
}

const sources = pathsOf(/^src\/.*\.ts$/).map(read);
const pages = pathsOf(/\.md$/).map(read);
const lines = sources.map(linesOf).sort((a, b) => a - b);
const imports = sources.flatMap((file) => importsOf(file).map((target) => [file.path, target]));
const comments = sources.flatMap(commentsOf);
const questions = comments.filter((line) => questionWord.test(line));
const duplicateTypes = [...duplicateTypesOf(sources)].sort((a, b) => a.localeCompare(b));

const figures = {
  files: sources.length,
  lines: lines.reduce((sum, count) => sum + count, 0),
  medianFile: lines[Math.floor(lines.length / 2)] ?? 0,
  largestFile: lines.at(-1) ?? 0,
  importsAcrossFolders: imports.filter(([a = '', b = '']) => folderOf(a) !== folderOf(b)).length,
  cycles: await countCycles(),
  duplicateTypeNames: duplicateTypes.length,
  questionWordPercent: Number(((100 * questions.length) / comments.length).toFixed(1)),
  longMarkdownLines: pages.reduce((sum, page) => sum + longLinesOf(page), 0),
  filesOfLastStream: filesOfLastStream(),
  testLines: pathsOf(/^test\/.*\.ts$/)
    .map(read)
    .reduce((sum, file) => sum + linesOf(file), 0),
};
for (const [name, value] of Object.entries(figures))
  console.log(`${name.padEnd(24)}${value ?? '–'}`);
console.log(`duplicate type names: ${duplicateTypes.join(' ')}`);
console.log(JSON.stringify(figures));
