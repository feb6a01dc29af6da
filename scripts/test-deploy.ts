/**
 * `npm run test:deploy [CHECK…]`: checks the files of `deploy/` and the workflows with the tools that
 * read them, and the packed npm package, all checks or the named ones. Not part of `npm test`, because the tools come from outside of npm; a
 * missing tool fails its check, with install instructions. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeConfig } from '../src/config/description.ts';

/** A check of a file by an external tool. */
interface DeployCheck {
  readonly name: string;
  /** The program to run, and its install instructions. */
  readonly tool: { readonly command: string; readonly install: string };
  /** Its arguments; its output is printed. */
  readonly args: readonly string[] | (() => readonly string[]);
  /** The exit code of a valid file; 0 by default. */
  readonly exitCode?: number;
  /** The working directory; the project's root by default. */
  readonly cwd?: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const prometheus = 'deploy/prometheus/instagram-kafka-producer';
const scratch = mkdtempSync(join(tmpdir(), 'deploy-'));

const promtool = {
  command: 'promtool',
  install:
    'apt-get install --no-install-recommends prometheus (Debian, Ubuntu), or https://prometheus.io/download',
};

const helm = {
  command: 'helm',
  install: 'go install helm.sh/helm/v3/cmd/helm@v3.19.2, or https://helm.sh/docs/intro/install',
};
const validator = {
  command: 'kubernetes-validate',
  install: 'pip install kubernetes-validate',
};
const actionlint = {
  command: 'actionlint',
  install: 'go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12',
};
const npm = { command: 'npm', install: 'https://nodejs.org' };
const npx = { command: 'npx', install: 'https://nodejs.org' };
/** The project that the packed package is installed into. */
const installed = join(scratch, 'installed');
mkdirSync(installed);
const chart = 'deploy/helm/instagram-kafka-producer';
const full = ['--values', `${chart}/ci/full-values.yaml`];
/** The oldest supported version and a current one. */
const kubernetesVersions = ['1.25', '1.34'];
/** Set explicitly: a helm built by `go install` reports Kubernetes 1.20 otherwise. */
const newest = ['--kube-version', '1.34.0'];

/** Renders the chart's manifests, with its own values and with everything switched on. */
function render(values: readonly string[]): readonly string[] {
  const folder = join(scratch, `${values.length}`);
  return ['template', 'test', chart, ...values, ...newest, '--output-dir', folder];
}

/** Returns the files of `render`; the schemas of Kubernetes have no ServiceMonitor. */
function rendered(values: readonly string[]): readonly string[] {
  const folder = join(scratch, `${values.length}`, 'instagram-kafka-producer/templates');
  return readdirSync(folder).map((name) => join(folder, name));
}

const chartChecks: readonly DeployCheck[] = [[], full].flatMap((values) => {
  const what = values.length === 0 ? 'chart' : 'chart with everything';
  return [
    { name: `${what}: lint`, tool: helm, args: ['lint', '--strict', chart, ...values] },
    { name: `${what}: manifests`, tool: helm, args: render(values) },
    ...kubernetesVersions.map((version) => ({
      name: `${what}: schemas of Kubernetes ${version}`,
      tool: validator,
      args: () => ['--strict', '-k', version, ...rendered(values)],
    })),
  ];
});

/** Values that would write a plain-text secret into the config map: helm must reject each. */
const secretChecks: readonly DeployCheck[] = describeConfig()
  .filter(({ secret }) => secret)
  .map(({ path }) => ({
    name: `chart without ${path} in the config map`,
    tool: helm,
    args: ['template', 'test', chart, ...full, ...newest, '--set', `config.${path}=secret`],
    exitCode: 1,
  }));

/** The npm package as a user gets it: packed, installed and run without the sources. */
const packageChecks: readonly DeployCheck[] = [
  { name: 'package: pack', tool: npm, args: ['pack', '--pack-destination', scratch] },
  {
    name: 'package: install',
    tool: npm,
    cwd: installed,
    args: () => ['install', '--prefer-offline', '--no-audit', '--no-fund', packedFile()],
  },
  { name: 'package: help', tool: npx, cwd: installed, args: ['instagram-kafka', '--help'] },
  {
    name: 'package: default configuration',
    tool: npx,
    cwd: installed,
    args: ['instagram-kafka', 'plan', '--accounts', '1'],
  },
];

/** Returns the file that `npm pack` wrote. */
function packedFile(): string {
  const file = readdirSync(scratch).find((name) => name.endsWith('.tgz'));
  return join(scratch, file ?? 'no-file.tgz');
}

const checks: readonly DeployCheck[] = [
  { name: 'workflows', tool: actionlint, args: ['-color'] },
  ...packageChecks,
  { name: 'alert rules', tool: promtool, args: ['check', 'rules', `${prometheus}.rules.yml`] },
  { name: 'alert rule tests', tool: promtool, args: ['test', 'rules', `${prometheus}.test.yml`] },
  { name: 'dashboard queries', tool: promtool, args: ['check', 'rules', dashboardRules()] },
  ...chartChecks,
  ...secretChecks,
  {
    name: 'chart with a service monitor',
    tool: helm,
    args: ['template', 'test', chart, ...full, ...newest, '--set', 'serviceMonitor.enabled=true'],
  },
];

/** Writes the dashboard's queries as recording rules, the form in which promtool reads PromQL. */
function dashboardRules(): string {
  const dashboard = JSON.parse(
    readFileSync(join(root, 'deploy/grafana/instagram-kafka-producer.json'), 'utf8'),
  ) as { panels: { targets?: { expr: string }[] }[] };
  const expressions = dashboard.panels.flatMap(({ targets }) => targets ?? []);
  const rules = expressions.map(({ expr }, n) => ({
    record: `dashboard:query_${n}`,
    expr: expr.replaceAll('$__rate_interval', '5m'),
  }));
  const file = join(scratch, 'dashboard.rules.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  return file;
}

function passes({ name, tool, args, exitCode = 0, cwd = root }: DeployCheck): boolean {
  console.log(`— ${name}`);
  const { status, error } = spawnSync(tool.command, typeof args === 'function' ? args() : args, {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined) {
    const { code } = error as NodeJS.ErrnoException;
    console.error(
      code === 'ENOENT' ? `${tool.command} is missing: ${tool.install}` : error.message,
    );
  }
  return status === exitCode;
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(
    `unknown: ${unknown.join(', ')}; there are: ${checks.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}
const chosen = checks.filter(({ name }) => asked.length === 0 || asked.includes(name));
const failed = chosen.filter((check) => !passes(check));
rmSync(scratch, { recursive: true, force: true });
for (const { name } of failed) console.error(`failed: ${name}`);
console.log(`${chosen.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length > 0 ? 1 : 0);
