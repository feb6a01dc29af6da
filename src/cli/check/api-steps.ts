import type { Reading } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import type { Account } from '../../engine/account.ts';
import { describeOffset } from '../../engine/clock-offset.ts';
import { isConnectorError } from '../../engine/errors.ts';
import { probeContract } from '../../instagram/extract/contract-probe.ts';
import type { OnUsage, ProbedForm, UsageReport } from '../../engine/ports.ts';
import { streams } from '../../instagram/streams/index.ts';
import type { ShownToken } from '../token/text.ts';
import type { Finding, Step } from './checklist.ts';
import { failure } from './checklist.ts';
import { daysText } from './days-text.ts';

/** Keeps what the answers last said of each scope's quota. */
export interface QuotaKeeper {
  readonly onUsage: OnUsage;
  reports(): readonly UsageReport[];
}

/** Knows nothing yet. */
export function createQuotaKeeper(): QuotaKeeper {
  const reports = new Map<string, UsageReport>();
  return {
    onUsage: (report) => {
      reports.set(`${report.scope.kind} ${report.scope.id}`, report);
    },
    reports: () => [...reports.values()],
  };
}

/** What the steps look with. */
export interface ApiTools {
  readonly config: Config;
  readonly reading: Reading;
  readonly inspectTokens: (signal: AbortSignal) => Promise<readonly ShownToken[]>;
  readonly quota: QuotaKeeper;
  readonly nowMs: () => number;
}

/** From the tokens to what each account answers. */
export function apiSteps(tools: ApiTools): readonly Step[] {
  let tokens: readonly ShownToken[] = [];
  let accounts: readonly Account[] = [];
  return [
    {
      id: 'api.token',
      needs: [],
      async run(signal) {
        tokens = await tools.inspectTokens(signal);
        return tokens.map((token) => validity(token, tools.nowMs()));
      },
    },
    {
      id: 'api.permissions',
      needs: ['api.token'],
      run: () => Promise.resolve(tokens.map(permissions)),
    },
    {
      id: 'api.accounts',
      needs: ['api.token'],
      async run(signal) {
        const listing = await tools.reading.directory.list(signal);
        ({ accounts } = listing);
        return [...accounts.map(found), ...listing.problems.map(problem)];
      },
    },
    { id: 'api.clock', needs: ['api.accounts'], run: () => Promise.resolve([clock(tools)]) },
    {
      id: 'api.insights',
      needs: ['api.accounts'],
      run: (signal) => insights(accounts, tools, signal),
    },
    {
      id: 'api.contract',
      needs: ['api.accounts'],
      run: (signal) => contract(accounts, tools, signal),
    },
    { id: 'api.quota', needs: ['api.accounts'], run: () => Promise.resolve(quota(tools)) },
  ];
}

/** The check that the API accepts a token and lets it read data. */
export function validity(token: ShownToken, nowMs: number): Finding {
  const { name: subject, isValid, reason, facts, expiresAtMs } = token;
  const data = facts?.dataAccessUntilMs ?? null;
  if (data !== null && data <= nowMs) {
    const action = 'Let its user log in again (instagram-kafka login).';
    const detail = `its access to data expired at ${new Date(data).toISOString()}`;
    return { status: 'failed', subject, detail, action, code: 'graph.token' };
  }
  if (!isValid) {
    const action = 'Get a new token and put it where the old one was.';
    const detail = reason ?? 'Meta does not accept it';
    return { status: 'failed', subject, detail, action, code: 'graph.token' };
  }
  const until =
    expiresAtMs === undefined
      ? 'accepted; until when it is good, Meta does not say'
      : `valid ${daysText(expiresAtMs, nowMs)}`;
  const access = data === null ? '' : `, reaches data ${daysText(data, nowMs)}`;
  return { status: 'ok', subject, detail: `${until}${access}` };
}

function permissions({ name: subject, missing, facts }: ShownToken): Finding {
  if (missing === null) {
    return {
      status: 'skipped',
      subject,
      detail: 'Meta does not say which permissions this token has; the accounts below tell',
    };
  }
  if (missing.length === 0) {
    const granted = facts?.scopes.join(', ') ?? '';
    return { status: 'ok', subject, detail: `all that the enabled streams need (${granted})` };
  }
  return {
    status: 'failed',
    subject,
    detail: `was not granted ${missing.join(', ')}, which the enabled streams need`,
    action: 'Log in again and grant them, or leave out the streams that need them.',
    code: 'graph.permission',
  };
}

function found({ id, username, pageId }: Account): Finding {
  const name = username === null ? '' : `@${username}`;
  const page = pageId === null ? '' : ` by page ${pageId}`;
  return { status: 'ok', subject: id, detail: `${name}${page}`.trim() || 'reached' };
}

function problem(detail: string): Finding {
  return { status: 'failed', detail, code: 'accounts.none' };
}

const minuteMs = 60_000;
/** Brokers refuse records whose time is further ahead, unless they are configured otherwise. */
const brokersLimitMs = 60 * minuteMs;

/** This machine's clock, beside that of the API: records have its time. */
function clock({ reading }: ApiTools): Finding {
  const { clockAheadMs } = reading.tools.graph;
  if (clockAheadMs === null) return { status: 'skipped', detail: 'the answers said no time' };
  if (Math.abs(clockAheadMs) < minuteMs) {
    return { status: 'ok', detail: 'agrees with that of the API to within a minute' };
  }
  return {
    status: clockAheadMs < brokersLimitMs ? 'warning' : 'failed',
    detail: `this machine's clock is ${describeOffset(clockAheadMs)} that of the API`,
    action:
      'Set it right (NTP): brokers refuse records from the future, by default more than an hour ' +
      '(message.timestamp.after.max.ms).',
    code: 'kafka.clock',
  };
}

async function insights(
  accounts: readonly Account[],
  { config, reading, nowMs }: ApiTools,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const needed = Object.values(streams).filter(({ name, request }) => {
    return config.streams[name].enabled && !['object', 'list', 'comments'].includes(request.kind);
  });
  if (needed.length === 0) {
    return [{ status: 'skipped', detail: 'no enabled stream reads insights' }];
  }
  const findings: Finding[] = [];
  for (const account of accounts) {
    const { graph } = reading.tools;
    const request = insightsRequest(account, nowMs());
    try {
      await graph.get(request, signal);
      findings.push({ status: 'ok', subject: account.id, detail: 'answers' });
    } catch (error) {
      signal.throwIfAborted();
      findings.push(refusedInsights(error, account));
    }
  }
  return findings;
}

/** Each form of request that the enabled streams use, for one account. */
async function contract(
  [account]: readonly Account[],
  { config, reading }: ApiTools,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (account === undefined) return [{ status: 'skipped', detail: 'no account to try them on' }];
  const enabled = Object.values(streams).filter(({ name }) => config.streams[name].enabled);
  const forms = await probeContract({ account, streams: enabled }, reading.tools, signal);
  const taken = forms.filter(({ outcome }) => outcome === 'ok').length;
  const asked = config.instagram.apiVersion;
  const { answeredBy } = reading.tools.graph;
  const by =
    answeredBy === null || answeredBy === asked ? asked : `${answeredBy}, asked as ${asked}`;
  return [
    {
      status: taken > 0 ? 'ok' : 'skipped',
      subject: account.id,
      detail: `${taken} of ${forms.length} forms of request are taken, answered by ${by}`,
    },
    ...forms.flatMap(rejectedForm),
  ];
}

function rejectedForm({ stream, endpoint, outcome, code, message }: ProbedForm): Finding[] {
  if (outcome === 'ok' || outcome === 'unknown') return [];
  const subject = stream === null ? endpoint : `${stream} ${endpoint}`;
  const status = outcome === 'rejected' ? 'failed' : 'warning';
  return [{ status, subject, detail: message, code }];
}

/** What nobody has is no reason to refuse: a small account lacks some metrics. */
function refusedInsights(error: unknown, { id }: Account): Finding {
  if (isConnectorError(error) && error.code === 'graph.not-enough-users') {
    return { status: 'ok', subject: id, detail: `answers: ${error.message}` };
  }
  return failure(error, id);
}

const dayS = 86_400;

function insightsRequest({ id }: Account, nowMs: number) {
  const until = Math.floor(nowMs / 1000);
  return {
    endpoint: '/{account}/insights',
    path: `/${id}/insights`,
    query: {
      metric: 'reach',
      period: 'day',
      since: String(until - 2 * dayS),
      until: String(until),
    },
    accountId: id,
  };
}

function quota({ quota: keeper, nowMs }: ApiTools): readonly Finding[] {
  const reports = keeper.reports();
  if (reports.length === 0) {
    return [{ status: 'skipped', detail: 'the answers said nothing of it' }];
  }
  return reports.map(({ scope, percent, regainMs }): Finding => {
    const subject = `${scope.kind} ${scope.id}`.trim();
    const left = `${Math.max(0, Math.round(100 - percent))}% left`;
    if (percent < 100 && regainMs === 0) return { status: 'ok', subject, detail: left };
    const until = regainMs === 0 ? '' : ` until ${new Date(nowMs() + regainMs).toISOString()}`;
    const detail = `${left}: nothing is asked${until}`;
    return { status: 'failed', subject, detail, code: 'graph.rate-limited' };
  });
}
