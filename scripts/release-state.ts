import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The state of the sources from which a release is made. */
export interface ReleaseState {
  /** The version in package.json. */
  readonly version: string;
  /** The versions in other files, by file and field. */
  readonly others: Readonly<Record<string, string | undefined>>;
  /** The version's section of CHANGELOG.md without its title; undefined when there is none. */
  readonly notes: string | undefined;
  /** The text under "Unreleased" in CHANGELOG.md. */
  readonly unreleased: string;
  /** Changed and new files, as `git status` lists them. */
  readonly changes: readonly string[];
  readonly tags: readonly string[];
}

/** @param root - the folder of the sources, in a git repository; ends with a slash */
export function readRelease(root: URL): ReleaseState {
  const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
  const git = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
    return stdout.split('\n').filter((line) => line !== '');
  };
  const { version } = JSON.parse(read('package.json')) as { version: string };
  const lock = JSON.parse(read('package-lock.json')) as { version: string };
  const chartFile = 'deploy/helm/instagram-kafka-producer/Chart.yaml';
  const chart = read(chartFile);
  const changelog = read('CHANGELOG.md');
  const imagesOf = /^ +image: \S*\/instagram-kafka-producer:(\S+?)(-sandbox)?$/gm;
  const images = [...read('docker-compose.yml').matchAll(imagesOf)];
  return {
    version,
    others: {
      'package-lock.json': lock.version,
      [`version in ${chartFile}`]: /^version: (.*)$/m.exec(chart)?.[1],
      [`appVersion in ${chartFile}`]: /^appVersion: (.*)$/m.exec(chart)?.[1],
      ...Object.fromEntries(
        images.map(([, one, suffix = '']) => [`image${suffix} in docker-compose.yml`, one]),
      ),
    },
    notes: sectionOf(changelog, version),
    unreleased: sectionOf(changelog, 'Unreleased') ?? '',
    changes: git('status', '--porcelain'),
    tags: git('tag', '--list'),
  };
}

/** Returns the text under `## [name]`; undefined when there is no such heading. */
export function sectionOf(changelog: string, name: string): string | undefined {
  const section = changelog.split(/^## /m).find((one) => one.startsWith(`[${name}]`));
  return section?.slice(section.indexOf('\n')).trim();
}

/**
 * Returns the reasons against a release, each with the next step.
 *
 * @param tag - the tag that exists and must be that of the version; undefined when it is to be made
 */
export function findProblems(release: ReleaseState, tag?: string): readonly string[] {
  const { version, others, notes, unreleased, changes, tags } = release;
  const own = `v${version}`;
  return [
    ...changes.map((line) => `the tree has a change, ${line.trim()}: commit or remove it`),
    ...Object.entries(others)
      .filter(([, other]) => other !== version)
      .map(([file, other]) => `${file}: got ${other ?? 'nothing'}, expected ${version}`),
    ...(notes === undefined || notes === ''
      ? [`CHANGELOG.md has no section [${version}] with text: write it`]
      : []),
    ...(unreleased === ''
      ? []
      : [`CHANGELOG.md has text under [Unreleased]: move it to [${version}]`]),
    ...(tag === undefined && tags.includes(own)
      ? [`the tag ${own} exists: raise the version in package.json`]
      : []),
    ...(tag !== undefined && tag !== own ? [`got the tag ${tag}, expected ${own}`] : []),
  ];
}
