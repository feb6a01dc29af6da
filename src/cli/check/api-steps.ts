import type { Reading } from '../../app.ts';
import type { Config } from '../../config/config.ts';
import type { Account } from '../../engine/account.ts';
import { describeOffset } from '../../engine/clock-offset.ts';
import { advice } from '../../engine/advice.ts';
import { isConnectorError } from '../../engine/errors.ts';
import { saysRetired } from '../../instagram/api/errors.ts';
import { probeContract } from '../../instagram/extract/contract-probe.ts';
import type { OnUsage, ProbedForm, Telemetry, UsageReport } from '../../engine/ports.ts';
import { streams } from '../../instagram/streams/index.ts';
import type { ShownToken } from '../token/text.ts';
import { type Finding, type CheckStep, failure } from './checklist.ts';
import { daysText } from './days-text.ts';

/** Keeps the latest usage report of each scope. */
export interface QuotaKeeper {
  readonly onUsage: OnUsage;
  reports(): readonly UsageReport[];
}

/** Creates a keeper without reports. */
export function createQuotaKeeper(): QuotaKeeper {
  const reports = new Map<string, UsageReport>();
  return {
    onUsage: (report) => {
      reports.set(`${report.scope.kind} ${report.scope.id}`, report);
    },
    reports: () => [...reports.values()],
  };
}

/** Keeps the API's message about a rejected batch. */
export interface BatchKeeper extends Telemetry {
  /** Null while no batch was rejected. */
  rejection(): string | null;
}

/** Creates a keeper without a rejection. */
export function createBatchKeeper(): BatchKeeper {
  let rejection: string | null = null;
  return {
    report(event) {
      if (event.type === 'batch-refused') rejection = event.message;
    },
    rejection: () => rejection,
  };
}

/** Dependencies of the API steps. */
export interface ApiTools {
  readonly config: Config;
  readonly reading: Reading;
  readonly inspectTokens: (signal: AbortSignal) => Promise<readonly ShownToken[]>;
  readonly quota: QuotaKeeper;
  readonly batches: BatchKeeper;
  readonly nowMs: () => number;
}

/**
 * Returns the steps that check tokens, permissions, accounts, clock, request forms, insights and
 * quota.
 */
export function apiSteps(tools: ApiTools): readonly CheckStep[] {
  let tokens: readonly ShownToken[] = [];
  let accounts: readonly Account[] = [];
  let forms: readonly ProbedForm[] = [];
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
        return [
          ...accounts.map(found),
          ...listing.problems.map(problem),
          ...listing.warnings.map(excludedFinding),
        ];
      },
    },
    { id: 'api.clock', needs: ['api.accounts'], run: () => Promise.resolve([clock(tools)]) },
    {
      id: 'api.contract',
      needs: ['api.accounts'],
      async run(signal) {
        const [account] = accounts;
        if (account === undefined) return [noAccount];
        forms = await tryForms(account, tools, signal);
        return contract(forms, probingOf(account, tools));
      },
    },
    {
      id: 'api.insights',
      needs: ['api.accounts'],
      run: (signal) => insights(notReported(accounts, forms), tools, signal),
    },
    { id: 'api.quota', needs: ['api.accounts'], run: () => Promise.resolve(quota(tools)) },
  ];
}

/** Checks that the API accepts a token and lets it read data. */
export function validity(token: ShownToken, nowMs: number): Finding {
  const { name: subject, isValid, reason, code, facts, expiresAtMs } = token;
  const data = facts?.dataAccessUntilMs ?? null;
  if (data !== null && data <= nowMs) {
    const action = 'Let its user log in again (instagram-kafka login).';
    const detail = `its access to data expired at ${new Date(data).toISOString()}`;
    return { status: 'failed', subject, detail, action, code: 'graph.token' };
  }
  if (!isValid) {
    const detail = reason ?? 'Meta does not accept it';
    // The action is that of the error code: an unknown version or an unreadable account needs no
    // new token.
    return { status: 'failed', subject, detail, code: code ?? 'graph.token' };
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
/** By default brokers reject records whose timestamp is further ahead. */
const brokersLimitMs = 60 * minuteMs;

/** Compares this machine's clock, which sets the records' timestamps, with the API's. */
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

function excludedFinding(detail: string): Finding {
  return { status: 'warning', detail };
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
      findings.push(insightsFinding(error, account));
    }
  }
  return findings;
}

/** Returns the accounts whose insights `api.contract` has not reported as rejected. */
function notReported(
  accounts: readonly Account[],
  forms: readonly ProbedForm[],
): readonly Account[] {
  const isReported = forms.some(
    ({ endpoint, outcome }) => endpoint === insightsEndpoint && outcome === 'rejected',
  );
  return isReported ? accounts.slice(1) : accounts;
}

/** Sends each form of request that the enabled streams use, for one account. */
function tryForms(
  account: Account,
  { config, reading }: ApiTools,
  signal: AbortSignal,
): Promise<readonly ProbedForm[]> {
  const enabled = Object.values(streams).filter(({ name }) => config.streams[name].enabled);
  return probeContract({ account, streams: enabled }, reading.tools, signal);
}

const noAccount: Finding = { status: 'skipped', detail: 'no account to try them on' };

function probingOf(account: Account, { config, reading, batches }: ApiTools): Probing {
  return {
    account,
    requestedVersion: config.instagram.apiVersion,
    answeredBy: reading.tools.graph.answeredBy,
    batchRejection: batches.rejection(),
  };
}

/** The API version that requests name, and the version that answers. */
interface Versions {
  readonly requestedVersion: string;
  readonly answeredBy: string | null;
}

/** Input of `contract` besides the forms. */
export interface Probing extends Versions {
  readonly account: Account;
  /** The API's message about a rejected batch; null where none was rejected. */
  readonly batchRejection: string | null;
}

/**
 * Reports accepted forms in one finding, forms that were not tried in another, and each rejected
 * form in its own.
 */
export function contract(forms: readonly ProbedForm[], probing: Probing): readonly Finding[] {
  const subject = probing.account.id;
  const count = (counted: ProbedForm['outcome']) =>
    forms.filter(({ outcome }) => outcome === counted).length;
  const [accepted, untried] = [count('ok'), count('unknown')];
  const by = versionNote(probing) ?? `answered by ${probing.requestedVersion}`;
  return [
    ...(accepted === 0
      ? []
      : [
          {
            status: 'ok',
            subject,
            detail: `forms of request accepted: ${accepted}, ${by}`,
          } as const,
        ]),
    ...(untried === 0
      ? []
      : [
          {
            status: 'skipped',
            subject,
            detail: `forms of request not tried, for lack of an object or an answer: ${untried}`,
          } as const,
        ]),
    ...forms.flatMap((form) => rejectedForm(form, probing)),
  ];
}

/** Returns a note when another API version answers than the requested one. */
function versionNote({ requestedVersion, answeredBy }: Versions): string | undefined {
  if (answeredBy === null || answeredBy === requestedVersion) return undefined;
  return `answered by ${answeredBy}, asked as ${requestedVersion}`;
}

function rejectedForm(form: ProbedForm, probing: Probing): readonly Finding[] {
  const { stream, endpoint, outcome, code, message } = form;
  if (outcome === 'ok' || outcome === 'unknown') return [];
  if (stream === null) return [rejectedBatch(probing.batchRejection ?? message)];
  // Most messages begin with the endpoint.
  const subject = message.startsWith(endpoint) ? stream : `${stream} ${endpoint}`;
  const by = versionNote(probing);
  const detail = by === undefined ? message : `${message}; ${by}`;
  return [{ status: outcome === 'rejected' ? 'failed' : 'warning', subject, detail, code }];
}

/** A warning, because single requests replace batches. */
function rejectedBatch(detail: string): Finding {
  const code = saysRetired(detail) ? 'graph.retired' : 'graph.refused';
  const action =
    code === 'graph.retired'
      ? advice[code]
      : 'No action needed: each object is requested by itself, which takes more HTTP requests, but the same calls, and brings the same data.';
  return { status: 'warning', subject: 'batch', detail, action, code };
}

/**
 * Turns an error of the insights request into a finding: too few users is no failure, because small
 * accounts lack some metrics.
 */
export function insightsFinding(error: unknown, { id }: Account): Finding {
  if (isConnectorError(error) && error.code === 'graph.not-enough-users') {
    return { status: 'ok', subject: id, detail: `answers: ${error.message}` };
  }
  const finding = failure(error, id);
  // A warning, because the other metrics are published.
  const isMetric =
    finding.code === 'graph.metric-refused' || finding.code === 'graph.metric-unknown';
  return isMetric ? { ...finding, status: 'warning' } : finding;
}

const dayS = 86_400;
const insightsEndpoint = '/{account}/insights';

function insightsRequest({ id }: Account, nowMs: number) {
  const until = Math.floor(nowMs / 1000);
  return {
    endpoint: insightsEndpoint,
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
