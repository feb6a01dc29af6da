import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type ReleaseState,
  findProblems,
  readRelease,
  sectionOf,
} from '../../../scripts/release-state.ts';

const root = new URL('../../../', import.meta.url);
const ready: ReleaseState = {
  version: '1.2.3',
  others: { 'package-lock.json': '1.2.3' },
  notes: '### Added',
  unreleased: '',
  changes: [],
  tags: ['v1.2.2'],
};

describe('a release', () => {
  test('has no problems in a clean tree with one version and its notes', () => {
    expect(findProblems(ready)).toEqual([]);
    expect(findProblems({ ...ready, tags: ['v1.2.3'] }, 'v1.2.3')).toEqual([]);
  });

  test.each<[string, Partial<ReleaseState>, string]>([
    [
      'a changed file',
      { changes: [' M a.ts'] },
      'the tree has a change, M a.ts: commit or remove it',
    ],
    [
      'another version',
      { others: { 'package-lock.json': '1.2.2' } },
      'package-lock.json: got 1.2.2, expected 1.2.3',
    ],
    ['no notes', { notes: undefined }, 'CHANGELOG.md has no section [1.2.3] with text: write it'],
    [
      'unreleased text',
      { unreleased: '- More.' },
      'CHANGELOG.md has text under [Unreleased]: move it to [1.2.3]',
    ],
    [
      'an existing tag',
      { tags: ['v1.2.3'] },
      'the tag v1.2.3 exists: raise the version in package.json',
    ],
  ])('is refused for %s', (_, changes, problem) => {
    expect(findProblems({ ...ready, ...changes })).toEqual([problem]);
  });

  test('is refused by the workflow for the tag of another version', () => {
    expect(findProblems(ready, 'v1.2.2')).toEqual(['got the tag v1.2.2, expected v1.2.3']);
  });

  test('has one version in package.json, package-lock.json, the chart and the images of docker-compose.yml, and its changelog', () => {
    const { version, others, notes } = readRelease(root);

    expect(Object.keys(others)).toHaveLength(5);
    expect(new Set(Object.values(others))).toEqual(new Set([version]));
    expect(notes).toMatch(/\S/);
  });
});

test('changelog: keeps the text of released versions; a merge may put a new entry into them', () => {
  const changelog = readFileSync(new URL('CHANGELOG.md', root), 'utf8');
  const hashOf = (version: string) =>
    createHash('sha256')
      .update(sectionOf(changelog, version) ?? '')
      .digest('hex')
      .slice(0, 16);

  expect({ '0.1.0': hashOf('0.1.0') }).toEqual({ '0.1.0': 'd6e9020f6def0483' });
});

describe('the state of a release', () => {
  let folder: string;
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder,
    });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'release-'));
    const chart = 'deploy/helm/instagram-kafka-producer';
    mkdirSync(join(folder, chart), { recursive: true });
    for (const file of [
      'package.json',
      'package-lock.json',
      'CHANGELOG.md',
      `${chart}/Chart.yaml`,
      'docker-compose.yml',
    ]) {
      cpSync(fileURLToPath(new URL(file, root)), join(folder, file));
    }
    git('init', '--quiet');
    git('add', '.');
    git('commit', '--quiet', '--message', 'all');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('has the changed and the new files of the repository, and its tags', () => {
    const read = () => readRelease(pathToFileURL(`${folder}/`));
    expect(read()).toMatchObject({ changes: [], tags: [] });

    writeFileSync(join(folder, 'CHANGELOG.md'), '# Changelog\n');
    writeFileSync(join(folder, 'new.ts'), '');
    git('tag', 'v0.0.1');

    expect(read()).toMatchObject({
      changes: [' M CHANGELOG.md', '?? new.ts'],
      tags: ['v0.0.1'],
      notes: undefined,
    });
  });
});
