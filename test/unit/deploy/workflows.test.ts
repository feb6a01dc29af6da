import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';

const root = new URL('../../../', import.meta.url);
const folder = new URL('.github/workflows/', root);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const manifest = JSON.parse(read('package.json')) as {
  readonly version: string;
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly repository: { readonly url: string };
};

/** The files have one form, so that patterns are enough to read them; actionlint reads them as YAML. */
const workflows = readdirSync(folder).map((name) => ({
  name,
  text: readFileSync(new URL(name, folder), 'utf8'),
}));

/** The first group of each match, with the workflow's name. */
function find(pattern: RegExp): readonly string[] {
  return workflows.flatMap(({ name, text }) =>
    [...text.matchAll(pattern)].map(([, found = '']) => `${name}: ${found}`),
  );
}

describe('the workflows', () => {
  test('run only existing npm scripts', () => {
    const named = find(/\bnpm run (?:--silent )?([\w:-]+)/g);
    const missing = named.filter((one) => !((one.split(': ')[1] ?? '') in manifest.scripts));

    expect(named.length).toBeGreaterThan(8);
    expect(missing).toEqual([]);
  });

  test('pin each action by a full commit SHA with its version, the same in each workflow', () => {
    const used = workflows.flatMap(({ text }) =>
      [...text.matchAll(/\buses: (.*)$/gm)].map(([, action = '']) => action),
    );
    const pinned = /^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    const byName = new Map(used.map((one) => [one.split('@')[0], one]));

    expect(used.filter((one) => !pinned.test(one))).toEqual([]);
    expect(used.filter((one) => byName.get(one.split('@')[0]) !== one)).toEqual([]);
  });

  test('may read the sources, and write only what the name of the permission says', () => {
    for (const { text } of workflows) expect(text).toContain('\npermissions:\n  contents: read\n');

    expect(new Set(find(/^ +([\w-]+: write)$/gm))).toEqual(
      new Set([
        'release.yml: packages: write',
        'release.yml: id-token: write',
        'release.yml: attestations: write',
        'release.yml: contents: write',
        'security.yml: security-events: write',
        'site.yml: contents: write',
      ]),
    );
  });

  test('need no secret, also for a pull request from a fork', () => {
    expect(find(/(\bsecrets\.\w+|pull_request_target|secrets: inherit)/g)).toEqual([]);
  });

  test('leave no credentials in a checkout', () => {
    const checkouts = find(/uses: (actions\/checkout)@/g).length;

    expect(find(/(persist-credentials: false)/g)).toHaveLength(checkouts);
  });
});

describe('the repository', () => {
  const [, owner = '', name = ''] =
    /github\.com\/([\w-]+)\/([\w-]+)\./.exec(manifest.repository.url) ?? [];

  // A registry that does not exist cannot serve a stranger's image.
  test('has the images of the release workflow in docker-compose.yml, or an impossible registry without an owner', () => {
    const images = [...read('docker-compose.yml').matchAll(/^x-\w+: &\w+\n {2}image: (\S+)$/gm)];
    const repository = `${owner}/${name}`.toLowerCase();
    const expected = owner === 'OWNER' ? `not-published.invalid/${name}` : `ghcr.io/${repository}`;
    const tags = find(/^ +suffix: (\S+)$/gm).map((one) => one.replace(/^release.yml: (?:'')?/, ''));

    expect(tags).toEqual(['', '-sandbox']);
    expect(images.map(([, image]) => image)).toEqual(
      tags.map((suffix) => `${expected}:${manifest.version}${suffix}`),
    );
  });

  test('has the owner of package.json in CODEOWNERS', () => {
    expect(read('.github/CODEOWNERS')).toContain(`\n* @${owner}\n`);
  });

  test('packs what the image has', () => {
    const [, producer = ''] = read('Dockerfile').split(' AS producer\n');
    const copied = [...producer.matchAll(/^COPY (?:--from=build )?(?:\/app\/)?(\w+) \.\/\w+$/gm)];

    expect(copied.map(([, name]) => name).toSorted()).toEqual(
      manifest.files.filter((name) => name !== 'CHANGELOG.md' && name !== 'bin').toSorted(),
    );
  });
});
