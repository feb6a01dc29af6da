import type { Config } from '../config/config.ts';
import { isNode, type Json, parseJson } from '../engine/json.ts';
import { printable } from '../engine/printable.ts';
import type { Status } from '../observability/status.ts';
import { print, reject, usage, type CommandDefinition, type Invocation } from './command.ts';
import { loadCommandConfig } from './context.ts';
import { describeFailure } from './health.ts';
import { asTable, plural, roughDuration } from './text.ts';

/** The most accounts that `/status` sends in one answer. */
const shownAccounts = 200;
const timeoutMs = 5000;

interface StatusOptions {
  readonly search?: string;
  readonly url?: string;
}

export const statusCommand: CommandDefinition = {
  usage: 'status',
  about:
    'show the state of a running instance: why it is not ready, errors, limits, and each stream of each account',
  examples: ['status', 'status --search cafe', 'status --url http://producer-1:8080 --json'],
  exits: {
    0: 'printed, whatever the state',
    3: 'the instance did not answer within 5 seconds, or another program answered',
  },
  options: [
    ['--search <text>', 'only accounts whose id or name has this text'],
    ['--url <url>', "the instance's address; by default from HTTP_HOST and HTTP_PORT"],
    ['--json', 'print the answer of /status as it is'],
  ],
  isInstant: true,
  settings: /^http-(?:host|port)$/,
  async run({ options, settings }: Invocation<StatusOptions>) {
    const address = options.url ?? addressOf(loadCommandConfig(settings, []));
    const answer = await readStatus(statusUrl(address, options.search), timeoutMs);
    if (typeof answer === 'string') {
      process.stderr.write(`${printable(answer)}\n`);
      return 3;
    }
    print(options.json, { text: () => describeStatus(answer), json: () => answer });
    return 0;
  },
};

/** Returns the address on which an instance with this configuration answers on this machine. */
function addressOf({ http: { enabled, host, port } }: Config): string {
  if (!enabled || port === 0) {
    const why = enabled ? 'HTTP_PORT is 0, a free port' : 'HTTP_ENABLED is false: nothing answers';
    throw usage(`status: ${why}. Pass the address of the instance with --url`);
  }
  const everywhere: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const own = everywhere[host] ?? host;
  return `http://${own.includes(':') ? `[${own}]` : own}:${port}`;
}

function statusUrl(address: string, search = ''): URL {
  const url = URL.parse(`${address.replace(/\/$/, '')}/status`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return reject('--url', 'the address of an instance, such as http://127.0.0.1:8080', address);
  }
  url.search = new URLSearchParams({ limit: String(shownAccounts), search }).toString();
  return url;
}

const ifUnanswered =
  'Check that the instance is running and that --url has its HTTP_HOST and HTTP_PORT. If it runs ' +
  'but does not answer, restart it; other instances take over its accounts within seconds';

/** Requests the status once; returns a sentence for a person when it does not come. */
export async function readStatus(url: URL, limitMs: number): Promise<Status | string> {
  try {
    const signal = AbortSignal.timeout(limitMs);
    const response = await fetch(url, { redirect: 'manual', signal });
    const body = parseJson(await response.text());
    if (isStatus(body)) return body;
    const { error, formatVersion } = isNode(body) ? body : {};
    if (typeof formatVersion === 'number') {
      return `${url.origin} answered in format ${formatVersion}: run the status command of that instance's version`;
    }
    const reason =
      typeof error === 'string' ? error : 'not with a status of this program: check --url';
    return `${url.origin} answered ${response.status}: ${reason}`;
  } catch (error) {
    return `${url.origin} did not answer: ${describeFailure(error, limitMs)}. ${ifUnanswered}`;
  }
}

function isStatus(body: unknown): body is Status {
  return isNode(body as Json) && (body as Partial<Status>).formatVersion === 1;
}

/** Formats a status for a person: the problems first, then each stream of each account. */
export function describeStatus(status: Status): string {
  const { program, ready, quota, accounts, startedAt, partitions } = status;
  const { instance, version } = program;
  const owned = `${partitions.length} of ${plural(status.partitionCount, 'partition')}`;
  const problems = problemLines(status);
  const lines = [
    `${instance}, version ${version}, since ${shortTime(startedAt)}, ${owned}: ${ready ? 'ready' : 'not ready'}`,
    problems.length === 0 ? 'no problems' : 'problems:',
    ...problems,
    ...pausedLines(status),
    ...quotaLines(quota),
  ];
  const text = lines.map((line) => `${printable(line)}\n`).join('');
  return `${text}\n${accountsTable(accounts)}`;
}

/** Returns the reasons against readiness, the errors, and refused webhooks. */
function problemLines({ reasons, trouble, webhooks }: Status): readonly string[] {
  // A reason may hold the whole message of an error: it is printed once.
  const isSaid = (message: string) => reasons.some((reason) => reason.includes(message));
  return [
    ...reasons.map((reason) => `  ${reason}`),
    ...trouble.flatMap(({ code, streams, accounts: ofAccounts, action, example }) => [
      `  ${code}: ${plural(streams, 'stream')} of ${plural(ofAccounts, 'account')}. ${action}`,
      ...(isSaid(example) ? [] : [`    ${example}`]),
    ]),
    ...refusedLines(webhooks),
  ];
}

/** Returns the last refused webhook; nothing when a request was accepted after it. */
function refusedLines(webhooks: Status['webhooks']): readonly string[] {
  const { lastRefused = null, lastAccepted = null } = webhooks ?? {};
  // ISO times sort as text.
  if (lastRefused === null || (lastAccepted ?? '') > lastRefused.at) return [];
  const { at, outcome, reason } = lastRefused;
  const since = lastAccepted === null ? '' : `, none accepted since ${shortTime(lastAccepted)}`;
  return [
    `  webhooks: the last was refused at ${shortTime(at)} (${outcome}: ${reason})${since}; see InstagramKafkaWebhooksRefused in docs/operations/repair.md`,
  ];
}

function pausedLines({ streams, accounts }: Status): readonly string[] {
  const count = streams.reduce((sum, { states }) => sum + (states.paused ?? 0), 0);
  if (count === 0) return [];
  const starts = accounts.items.flatMap((account) =>
    account.streams.flatMap(({ pause }) => (pause === null ? [] : [pause.since])),
  );
  // An answer that does not list every account may lack the first pause.
  const isWhole = accounts.items.length === accounts.total;
  const [first] = isWhole ? starts.toSorted() : [];
  const since = first === undefined ? '' : ` since ${shortTime(first)}`;
  return [`paused by a person: ${plural(count, 'stream')}${since}`];
}

function quotaLines({ items }: Status['quota']): readonly string[] {
  const limited = items.filter(({ state }) => state !== 'free');
  if (limited.length === 0) return ['no API limit reached'];
  return [
    'limits of the API:',
    ...limited.map(({ scope, id, percent, state, until }) => {
      const end = until === null ? '' : ` until ${shortTime(until)}`;
      return `  ${id === null ? scope : `${scope} ${id}`}: ${state}${end}, ${percent} % used`;
    }),
  ];
}

function accountsTable({ items, total, matching }: Status['accounts']): string {
  if (items.length === 0) return `no accounts to show: ${matching} of ${total} match\n`;
  const header = ['ACCOUNT', 'NAME', 'STREAM', 'STATE', 'LAST SUCCESS', 'LAG', 'PAUSED', 'ERROR'];
  const rows = items.flatMap(({ id, username, error: ofAccount, streams }) =>
    streams.map(({ stream, state, lastSuccess, lagSeconds, pause, error }) => [
      id,
      username ?? '-',
      stream,
      state,
      lastSuccess === null ? 'never' : shortTime(lastSuccess),
      lagSeconds === 0 ? '-' : roughDuration(lagSeconds),
      pause === null ? '-' : pauseText(pause),
      (ofAccount ?? error)?.code ?? '-',
    ]),
  );
  const more = matching - items.length;
  return `${asTable([header, ...rows])}${more > 0 ? `${more} more accounts; narrow the list with --search\n` : ''}`;
}

function pauseText({ since, until }: { readonly since: string; readonly until: string | null }) {
  return `since ${shortTime(since)}${until === null ? '' : ` until ${shortTime(until)}`}`;
}

/** Shortens an ISO time to its second. */
function shortTime(iso: string): string {
  return iso.replace(/\.\d+Z$/, 'Z');
}
