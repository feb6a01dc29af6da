/**
 * `npm run test:deploy [CHECK…]`: checks the files of `deploy/` with the tools that will read them, all of
 * them or those named. No part of `npm test`, because the tools come from outside of npm; a tool that is
 * missing fails its check, with how to get it. The last line is `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Something that a tool says of a file. */
interface DeployCheck {
  readonly name: string;
  /** The program that is run, and how a person gets it. */
  readonly tool: { readonly command: string; readonly install: string };
  /** Its arguments; what it says is printed, and anything but exit code 0 is a failure. */
  readonly args: readonly string[];
}

const root = fileURLToPath(new URL('..', import.meta.url));
const prometheus = 'deploy/prometheus/instagram-kafka-producer';
const scratch = mkdtempSync(join(tmpdir(), 'deploy-'));

const promtool = {
  command: 'promtool',
  install:
    'apt-get install --no-install-recommends prometheus (Debian, Ubuntu), or https://prometheus.io/download',
};

const checks: readonly DeployCheck[] = [
  { name: 'alert rules', tool: promtool, args: ['check', 'rules', `${prometheus}.rules.yml`] },
  { name: 'alert rule tests', tool: promtool, args: ['test', 'rules', `${prometheus}.test.yml`] },
  { name: 'dashboard queries', tool: promtool, args: ['check', 'rules', dashboardRules()] },
];

/** The dashboard's queries as recording rules, which is how promtool reads PromQL. */
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

function passes({ name, tool, args }: DeployCheck): boolean {
  console.log(`— ${name}`);
  const { status, error } = spawnSync(tool.command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error !== undefined) {
    const { code } = error as NodeJS.ErrnoException;
    console.error(
      code === 'ENOENT' ? `${tool.command} is missing: ${tool.install}` : error.message,
    );
  }
  return status === 0;
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
