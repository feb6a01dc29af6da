import type { Reading } from '../../app.ts';
import { type Config, enabledStreams } from '../../config/config.ts';
import { type Account, isPolled } from '../../engine/account.ts';
import { advice } from '../../engine/advice.ts';
import { describeOffset } from '../../engine/clock-offset.ts';
import { type Scope, WaitError, isClassifiedError } from '../../engine/errors.ts';
import { describeLimits, scopeKey } from '../../engine/limits.ts';
import type { ProbedForm, TelemetryEvent, UsageReport } from '../../engine/ports.ts';
import { versionEnd, versionWarning } from '../../instagram/api/api-versions.ts';
import { saysRetired } from '../../instagram/api/errors.ts';
import { probeContract } from '../../instagram/extract/contract-probe.ts';
import { streams } from '../../instagram/streams/index.ts';
import { describePolling } from '../streams.ts';
import { inspectAll } from '../token/command.ts';
import type { ShownToken } from '../token/text.ts';
import {
  type CheckStep,
  type Finding,
  daysText,
  failure,
  limitAction,
  stepDeadlineMs,
  minutesOf,
  ok,
  skipped,
  step,
} from './checklist.ts';
import { requestedStream } from '../../source-settings.ts';

/** Leaves time for the last request before the deadline of the step, which drops all findings. */
const insightsMs = 0.8 * stepDeadlineMs;

type ScopeEvent = Extract<TelemetryEvent, { type: 'scope' }>;

/**
 * Keeps the latest usage report and state of each scope, and the API's message about a rejected
 * batch.
 */
export function createApiObserver() {
  const usage = new Map<string, UsageReport>();
  const scopes = new Map<string, ScopeEvent>();
  let batchRejection: string | null = null;
  return {
    onUsage: (report: UsageReport): void => {
      usage.set(scopeKey(report.scope), report);
    },
    report: (event: TelemetryEvent): void => {
      if (event.type === 'batch-rejected') batchRejection = event.message;
      if (event.type === 'scope') scopes.set(scopeKey(event.scope), event);
    },
    usage: (): readonly UsageReport[] => [...usage.values()],
    batchRejection: () => batchRejection,
    /** Returns those of the scopes whose quota holds requests back, stopped ones first. */
    limitedScopes: (among: readonly Scope[]): readonly ScopeEvent[] =>
      among
        .flatMap((scope) => scopes.get(scopeKey(scope)) ?? [])
        .filter(({ state }) => state !== 'free')
        .sort((a, b) => Number(b.state === 'stopped') - Number(a.state === 'stopped')),
  };
}

export interface ApiTools {
  readonly config: Config;
  readonly reading: Reading;
  readonly observer: ReturnType<typeof createApiObserver>;
  readonly nowMs: () => number;
}

export function apiSteps(tools: ApiTools): readonly CheckStep[] {
  const { config, reading, observer, nowMs } = tools;
  let tokens: readonly ShownToken[] = [];
  let accounts: readonly Account[] = [];
  let forms: readonly ProbedForm[] = [];
  return [
    step('api.token', [], async (signal) => {
      const inspected = await inspectAll(config, undefined, signal).catch(asWaitError);
      if (inspected instanceof WaitError) return [skippedByLimit(inspected)];
      tokens = inspected;
      return tokens.map((token) => validity(token, nowMs()));
    }),
    step('api.permissions', ['api.token'], () => tokens.map(permissions)),
    step('api.accounts', ['api.token'], async (signal) => {
      const { problems, warnings, ...listing } = await reading.directory.list(signal);
      ({ accounts } = listing);
      return [
        ...accounts.map(found),
        ...problems.map((detail) => ({ status: 'failed', detail, code: 'accounts.none' }) as const),
        ...warnings.map((detail) => ({ status: 'warning', detail }) as const),
      ];
    }),
    step('api.clock', ['api.accounts'], () => [clock(tools)]),
    step('api.contract', ['api.accounts'], async (signal) => {
      const [account, ...others] = accounts;
      if (account === undefined) return [skipped('no account to try them on')];
      const probed = await probe([account, ...others], tools, signal);
      if ('status' in probed) return [probed];
      ({ forms } = probed);
      return contract(forms, {
        account,
        requestedVersion: config.instagram.apiVersion,
        answeredBy: reading.tools.graph.answeredBy,
        batchRejection: observer.batchRejection(),
      });
    }),
    step('api.insights', ['api.accounts'], (signal) => {
      const isReported = forms.some(
        ({ endpoint, outcome }) => endpoint === insightsEndpoint && outcome === 'rejected',
      );
      // `api.contract` has reported the rejection for the first account.
      return insights(isReported ? accounts.slice(1) : accounts, tools, signal);
    }),
    step('api.quota', ['api.accounts'], () => quota(tools)),
  ];
}

/**
 * Tries the forms of request; returns a finding when a quota holds a request back: the wait may last
 * a day.
 */
async function probe(
  accounts: readonly [Account, ...(readonly Account[])],
  { config, reading, observer, nowMs }: ApiTools,
  signal: AbortSignal,
): Promise<Finding | { readonly forms: readonly ProbedForm[] }> {
  const stop = new AbortController();
  let limitFinding: Finding | undefined;
  const onWait = (scopes: readonly Scope[]) => {
    const [limit] = observer.limitedScopes(scopes);
    if (limit !== undefined) {
      limitFinding ??= findingOf(limit, accounts[0], nowMs());
      stop.abort();
    }
    return () => undefined;
  };
  const enabled = enabledStreams(config).map((name) => requestedStream(config, name));
  const request = { accounts, streams: enabled, onWait };
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    return { forms: await probeContract(request, reading.tools, both) };
  } catch (error) {
    if (limitFinding === undefined) throw error;
    return limitFinding;
  }
}

/** Returns the step that warns when an API version has ended, ends soon or is unknown. */
export function versionStep(version: string, clockMs: () => number): CheckStep {
  return step('api.version', [], () => {
    const nowMs = clockMs();
    const warning = versionWarning(version, nowMs);
    const { endsAtMs } = versionEnd(version, nowMs);
    const end = endsAtMs === null ? 'Meta has announced no end' : daysText(endsAtMs, nowMs);
    if (warning === null) return [ok(end, version)];
    return [{ status: 'warning', detail: warning.problem, action: warning.action }];
  });
}

/** Returns the error if it is that of a limit; throws any other. */
function asWaitError(error: unknown): WaitError {
  if (error instanceof WaitError) return error;
  throw error;
}

/**
 * Returns a failure if a scope is stopped, and a warning if it is slowed: the requests of the probe
 * have the priority `backfill`, which is not sent from 75 % on.
 */
function findingOf(limit: ScopeEvent, { id: subject }: Account, nowMs: number): Finding {
  const { scope, percent, untilMs } = limit;
  if (untilMs !== null) {
    const until = new Date(untilMs).toISOString();
    const { names } = describeLimits([{ scope: scope.kind, id: scope.id || null, until }]);
    const detail = `${names} is reached until ${until}: the forms of request were not tried`;
    const action = limitAction(untilMs - nowMs);
    return { status: 'failed', subject, detail, action, code: 'graph.rate-limited' };
  }
  const detail = `${Math.round(percent)} % of the ${scope.kind}'s quota is used: the forms of request were not tried, because the rest is kept for polls`;
  const action =
    'The configuration is not the cause. Run check again when less of the quota is used.';
  return { status: 'warning', subject, detail, action, code: 'graph.rate-limited' };
}

/** A limit says nothing about a token; the steps that need its accounts report it as a failure. */
function skippedByLimit({ scope, retryAfterMs }: WaitError): Finding {
  const again = `run check again in ${minutesOf(retryAfterMs)} min`;
  return skipped(`the ${scope.kind}'s limit is reached; ${again}. The token was not checked`);
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
    // The code has the action: an unknown version or unreadable account needs no new token.
    return { status: 'failed', subject, detail, code: code ?? 'graph.token' };
  }
  const until =
    expiresAtMs === undefined
      ? 'accepted; until when it is good, Meta does not say'
      : `valid ${daysText(expiresAtMs, nowMs)}`;
  const access = data === null ? '' : `, reaches data ${daysText(data, nowMs)}`;
  return ok(`${until}${access}`, subject);
}

function permissions({ name: subject, missing, facts }: ShownToken): Finding {
  if (missing === null) {
    const detail = 'Meta does not say which permissions this token has; the accounts below tell';
    return skipped(detail, subject);
  }
  if (missing.length === 0) {
    const granted = facts?.scopes.join(', ') ?? '';
    return ok(`all that the configuration needs (${granted})`, subject);
  }
  const detail = `was not granted ${missing.join(', ')}, which the configuration needs`;
  const action =
    'Log in again and grant them, or leave out the streams or businesses that need them.';
  return { status: 'failed', subject, detail, action, code: 'graph.permission' };
}

function found({ id, username, pageId, polling }: Account): Finding {
  const name = username === null ? '' : `@${username}`;
  const page = pageId === null ? '' : ` by page ${pageId}`;
  const reached = `${name}${page}`.trim() || 'reached';
  return ok(polling === undefined ? reached : `${reached}: ${describePolling(polling)}`, id);
}

const minuteMs = 60_000;
/** By default brokers reject records whose timestamp is further ahead. */
const brokersLimitMs = 60 * minuteMs;

/** Compares this machine's clock, which sets the records' timestamps, with the API's. */
function clock({ reading }: ApiTools): Finding {
  const { clockAheadMs } = reading.tools.graph;
  if (clockAheadMs === null) return skipped('the answers said no time');
  if (Math.abs(clockAheadMs) < minuteMs)
    return ok('agrees with that of the API to within a minute');
  const status = clockAheadMs < brokersLimitMs ? 'warning' : 'failed';
  const detail = `this machine's clock is ${describeOffset(clockAheadMs)} that of the API`;
  const action =
    'Set it right (NTP): brokers refuse records from the future, by default more than an hour (message.timestamp.after.max.ms).';
  return { status, detail, action, code: 'kafka.clock' };
}

const withoutInsights = ['object', 'list', 'comments', 'public'];

async function insights(
  accounts: readonly Account[],
  { config, reading, nowMs }: ApiTools,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const needed = enabledStreams(config).filter(
    (name) => !withoutInsights.includes(streams[name].request.kind),
  );
  if (needed.length === 0) return [skipped('no enabled stream reads insights')];
  const findings: Finding[] = [];
  const withInsights = accounts.filter((account) => needed.some((name) => isPolled(account, name)));
  const endMs = nowMs() + insightsMs;
  for (const [index, account] of withInsights.entries()) {
    if (nowMs() > endMs) {
      const left = withInsights.length - index;
      findings.push(
        skipped(
          `${left} of ${withInsights.length} accounts not tried: the step would have exceeded its deadline`,
        ),
      );
      break;
    }
    try {
      await reading.tools.graph.get(insightsRequest(account, nowMs()), signal);
      findings.push(ok('answers', account.id));
    } catch (error) {
      signal.throwIfAborted();
      findings.push(insightsFinding(error, account));
    }
  }
  return findings;
}

/** Input of `contract` besides the forms. */
export interface Probing {
  readonly account: Account;
  /** The API version that requests name, and the version that answers. */
  readonly requestedVersion: string;
  readonly answeredBy: string | null;
  /** The API's message about a rejected batch; null where none was rejected. */
  readonly batchRejection: string | null;
}

/** Reports accepted forms in one finding, untried ones in another, each rejected one in its own. */
export function contract(forms: readonly ProbedForm[], probing: Probing): readonly Finding[] {
  const { requestedVersion, answeredBy, batchRejection } = probing;
  const subject = probing.account.id;
  const byOutcome = Map.groupBy(forms, ({ outcome }) => outcome);
  const accepted = byOutcome.get('ok')?.length ?? 0;
  const untried = byOutcome.get('unknown')?.length ?? 0;
  const isOther = answeredBy !== null && answeredBy !== requestedVersion;
  const other = isOther ? `answered by ${answeredBy}, asked as ${requestedVersion}` : undefined;
  const by = other ?? `answered by ${requestedVersion}`;
  const findings: Finding[] = [];
  if (accepted > 0) findings.push(ok(`forms of request accepted: ${accepted}, ${by}`, subject));
  if (untried > 0) {
    const detail = `forms of request not tried, for lack of an object or an answer: ${untried}`;
    findings.push(skipped(detail, subject));
  }
  const rejected = forms.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'unknown');
  return [
    ...findings,
    ...rejected.map((form): Finding => {
      const { stream, endpoint, outcome, code, message } = form;
      if (stream === null) return rejectedBatch(batchRejection ?? message);
      const detail = other === undefined ? message : `${message}; ${other}`;
      const status = outcome === 'rejected' ? 'failed' : 'warning';
      // Most messages begin with the endpoint.
      const about = message.startsWith(endpoint) ? stream : `${stream} ${endpoint}`;
      return { status, subject: about, detail, code };
    }),
  ];
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

/** Too few users is no failure, because small accounts lack some metrics. */
export function insightsFinding(error: unknown, { id }: Account): Finding {
  if (isClassifiedError(error) && error.code === 'graph.not-enough-users') {
    return ok(`answers: ${error.message}`, id);
  }
  const finding = failure(error, id);
  // A warning, because the other metrics are published.
  const isMetric = ['graph.metric-refused', 'graph.metric-unknown'].includes(finding.code ?? '');
  return isMetric ? { ...finding, status: 'warning' } : finding;
}

const dayS = 86_400;
const insightsEndpoint = '/{account}/insights';

function insightsRequest({ id: accountId }: Account, nowMs: number) {
  const untilS = Math.floor(nowMs / 1000);
  const [since, until] = [String(untilS - 2 * dayS), String(untilS)];
  const query = { metric: 'reach', period: 'day', since, until };
  return { endpoint: insightsEndpoint, path: `/${accountId}/insights`, query, accountId };
}

function quota({ observer, nowMs }: ApiTools): readonly Finding[] {
  const reports = observer.usage();
  if (reports.length === 0) return [skipped('the answers said nothing of it')];
  return reports.map(({ scope, percent, regainMs }): Finding => {
    const subject = `${scope.kind} ${scope.id}`.trim();
    const left = `${Math.max(0, Math.round(100 - percent))}% left`;
    if (percent < 100 && regainMs === 0) return ok(left, subject);
    const until = regainMs === 0 ? '' : ` until ${new Date(nowMs() + regainMs).toISOString()}`;
    const detail = `${left}: nothing is asked${until}`;
    return { status: 'failed', subject, detail, code: 'graph.rate-limited' };
  });
}
