import { createCalendar, type PollCalendar } from './config/calendar.ts';
import {
  type Config,
  enabledStreams,
  eventTimedStreams,
  keyFields,
  topicSettings,
} from './config/config.ts';
import { fieldRulesOf } from './config/field-lists.ts';
import { createShutdownBudget } from './engine/shutdown-budget.ts';
import { FailError, StopProcessError } from './engine/errors.ts';
import { isPerAccount, type TopicRole } from './engine/stream-name.ts';
import {
  kafkaSecurity,
  controlTokenOf,
  registryAccess,
  secretsOfConfig,
  tokenFileOf,
} from './credentials.ts';
import { callLimit } from './instagram/call-limits.ts';
import { openInstagram } from './instagram/index.ts';
import type { OnExchange } from './instagram/recording/exchange.ts';
import { graphBase } from './instagram/api/oauth.ts';
import { versionEvent, watchVersion } from './instagram/api/api-versions.ts';
import { openKafka } from './kafka/index.ts';
import {
  logStyle,
  openObservability,
  type LeveledLog,
  type Observability,
  type ObservabilityOptions,
} from './observability/index.ts';
import { openNotifications } from './notifications.ts';
import { openWebhooks } from './webhooks.ts';
import { openRegistry } from './registry/index.ts';
import { watchContract } from './instagram/extract/contract-probe.ts';
import { createSource, type InstagramSource } from './instagram/extract/extract.ts';
import { systemClock } from './engine/clock.ts';
import type {
  AccountDirectory,
  Clock,
  Encoder,
  OnUsage,
  Telemetry,
  Tracer,
} from './engine/ports.ts';
import { RateLimiter } from './engine/rate-limit/rate-limiter.ts';
import type { PollerTools } from './engine/poller.ts';
import { type StartTools, startingWith, untilReady } from './engine/startup.ts';
import { type Once, superviseOnce } from './engine/once.ts';
import { supervise, type Supervision } from './engine/supervisor.ts';
import { createControlHandler } from './engine/control-handler.ts';
import { createOverrides } from './engine/overrides.ts';
import { noTracer } from './engine/tracing.ts';
import { endedSoon, settled } from './engine/shutdown.ts';
import { Semaphore } from './engine/rate-limit/semaphore.ts';
import { PendingChanges, inboxRole } from './engine/webhooks.ts';
import { compactedStreams, streamNames } from './instagram/streams/index.ts';
import { suppressionEntry } from './instagram/model/suppression-entry.ts';
import { openTracing } from './observability/traces/index.ts';
import { type LiveSettings, liveSettings } from './live-settings.ts';
import { requestedStream, sourceSettings } from './source-settings.ts';

/** Values that only the running process has: version, host name, clock, log destination. */
export interface AppOptions {
  readonly version: string;
  /** The host's name; the configured instance name takes precedence. */
  readonly hostName: string;
  /** Default: the system clock; benchmarks that simulate a day pass their own. */
  readonly clock?: Clock;
  /** Receives every event in addition to logs, metrics and health. */
  readonly observer?: Telemetry;
  /** Default: the real Kafka; tests of what is read from the API pass one in memory. */
  readonly openKafka?: typeof openKafka;
  /** Traces polls when no standard variable configures an exporter. */
  readonly tracer?: Tracer;
  /** Receives the usage that each response reports, in addition to the rate limiter. */
  readonly onUsage?: OnUsage;
  /** Receives each request of the API with its answer, tokens in links included. */
  readonly onExchange?: OnExchange;
  /** The destination of log lines; standard output by default. */
  readonly logDestination?: NonNullable<ObservabilityOptions['destination']> & {
    readonly isTTY?: boolean;
  };
}

/** The application: all adapters and the engine. */
export interface App extends LiveSettings, AsyncDisposable {
  readonly log: LeveledLog;
  /** Serves health and metrics, starts, and polls until aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Starts, polls every enabled stream once, and returns the results. */
  once(signal: AbortSignal): Promise<Once>;
}

type Adapters = ReturnType<typeof openAdapters>;

/** The composition root: opens the adapters and hands them to the engine. Nothing connects yet. */
export function createApp(config: Config, options: AppOptions): App {
  const resolved = resolveOptions(config, options);
  const adapters = openAdapters(config, resolved);
  const { observability, telemetry, kafka, instagram, overrides, shutdown } = adapters;
  const { clock } = resolved;
  const tools = {
    ...pollerTools(config, resolved, adapters),
    publisher: kafka.publisher,
    prepareAccount: accountPreparation(config, adapters),
  };
  const { log } = observability;
  const openTraces = () => openTracing({ ...resolved, env: process.env, log, shutdown });
  return {
    log,
    ...liveSettings(config, { overrides, directory: instagram.directory, source: tools.source }),
    async run(signal) {
      shutdown.beginWith(signal);
      const served = await observability.listen();
      log.info({ url: served?.url ?? null }, 'started');
      void instagram.keepTokens();
      void watchVersion(config.instagram.apiVersion, { clock, telemetry }, signal);
      await using tracing = await openTraces();
      await using beside = new AsyncDisposableStack();
      const verified = Promise.withResolvers<unknown>();
      const parts = { ...resolved, ...adapters, random: Math.random, verified: verified.promise };
      beside.use(openNotifications(config, parts, signal));
      const startTools = { ...tools, deadlineMs: null, verified };
      const supervision = await start(config, adapters, startTools, signal);
      beside.use(await openWebhooks(config, parts, signal));
      await supervise(supervision, { ...tools, ...tracing }, signal);
    },
    async once(signal) {
      shutdown.beginWith(signal);
      const deadlineMs = clock.nowMs() + config.polling.onceTimeoutMs;
      const kept = instagram.keepTokens();
      telemetry.report(versionEvent(config.instagram.apiVersion, clock.nowMs()));
      await using tracing = await openTraces();
      const supervision = await start(config, adapters, { ...tools, deadlineMs }, signal);
      const onceTools = { ...tools, ...tracing, deadlineMs, othersLeaveMs: othersLeaveMs(config) };
      const result = await superviseOnce(supervision, onceTools, signal);
      // In a deployment that runs only `once`, this is the only renewal of tokens.
      await endedSoon(kept, signal, () => 0).catch(() => undefined);
      return result;
    },
    [Symbol.asyncDispose]: () => close(adapters),
  };
}

/** The broker detects expired sessions with a short delay. */
const sessionEndMs = 1000;

function othersLeaveMs({ kafka }: Config): number {
  return kafka.group.sessionTimeoutMs + sessionEndMs;
}

/** Closes the adapters, and the observability last: it reports how the adapters close. */
async function close(adapters: Adapters): Promise<void> {
  const { instagram, kafka, registry, observability, shutdown } = adapters;
  const others = [instagram, kafka, registry].map((adapter) => adapter[Symbol.asyncDispose]());
  await settled(Promise.allSettled(others), shutdown.leftMs('adapters'));
  await settled(observability[Symbol.asyncDispose](), shutdown.leftMs('server'));
}

type ResolvedOptions = ReturnType<typeof resolveOptions>;

/** Applies the defaults to the options. */
function resolveOptions(config: Config, options: AppOptions) {
  const instance = config.polling.instance ?? options.hostName;
  return { openKafka, ...options, instance, clock: options.clock ?? systemClock };
}

/**
 * Prepares the topics and subjects of an account before its first record. A rejection of one account
 * fails its polls and no other's (Invariant 8).
 */
function accountPreparation(
  { kafka: { topicTemplate } }: Config,
  { kafka, registry }: Pick<Adapters, 'kafka' | 'registry'>,
): PollerTools['prepareAccount'] {
  const prepared = new Set<string>();
  return async (accountId, signal) => {
    if (!isPerAccount(topicTemplate) || prepared.has(accountId)) return;
    try {
      // Schemas first: a topic without its subject would look ready to a consumer.
      await registry.prepareAccount(accountId, signal);
      await kafka.prepareAccount(accountId, signal);
    } catch (error) {
      if (!(error instanceof StopProcessError)) throw error;
      throw new FailError(error.code, error.message, { cause: error });
    }
    prepared.add(accountId);
  };
}

/** The tools of a poll except its publisher. */
interface ReadingTools extends Omit<PollerTools, 'publisher'> {
  readonly source: InstagramSource;
}

/** The parts that read the API; the caller publishes elsewhere. */
export interface Reading extends AsyncDisposable {
  readonly directory: AccountDirectory;
  readonly tools: ReadingTools;
}

/** Opens the parts that read the API, without a publisher. They connect with the first request. */
export function openReading(config: Config, options: AppOptions, encoder: Encoder): Reading {
  const resolved = resolveOptions(config, options);
  const source = openSource(config, resolved);
  const { instagram, observability } = source;
  return {
    directory: instagram.directory,
    tools: pollerTools(config, resolved, { ...source, encoder }),
    async [Symbol.asyncDispose]() {
      await instagram[Symbol.asyncDispose]();
      await observability[Symbol.asyncDispose]();
    },
  };
}

function openAdapters(config: Config, options: ResolvedOptions) {
  const shutdown = createShutdownBudget(config.polling.shutdownGraceMs, () => performance.now());
  const { topicTemplate } = config.kafka;
  const roles: readonly TopicRole[] = [...enabledStreams(config), 'state', 'dead_letters'];
  const inbox = config.webhookReceiver.port === null ? [] : [inboxRole];
  const source = openSource(config, options);
  const { log, hide } = source.observability;
  const access = registryAccess(config.schemaRegistry, hide);
  const subjects = { topicTemplate, roles, keyFields: keyFields(config) };
  const registry = openRegistry({ ...access, ...subjects }, { log });
  const security = kafkaSecurity(config.kafka, hide);
  const kafka = options.openKafka(
    {
      ...config.kafka,
      security,
      instance: options.instance,
      roles: [...roles, ...inbox],
      compacted: compactedStreams,
      topicSettings: topicSettings(config),
      eventTimed: eventTimedStreams(config),
    },
    {
      codec: registry.stateCodec,
      telemetry: source.telemetry,
      log: (level, message, fields) => {
        log[level](fields, message);
      },
      clockAheadMs: () => source.instagram.graph.clockAheadMs,
      shutdown,
    },
  );
  const overrides = createOverrides(source.telemetry);
  const { encoder } = registry;
  return { ...source, registry, encoder, kafka, shutdown, overrides };
}

/** Opens the API client and the observability that reports on it. */
function openSource(config: Config, options: ResolvedOptions) {
  const { clock } = options;
  const calendar = createCalendar(config);
  const controlHandler = createControlHandler();
  const token = controlTokenOf(config.http, (secrets) => {
    observability.hide(secrets);
  });
  const observability: Observability = openObservability(
    {
      level: config.log.level,
      style: logStyle(config.log.format, options.logDestination ?? process.stdout, process.env),
      http: { ...config.http, token },
      secrets: secretsOfConfig(config),
      version: options.version,
      instance: options.instance,
      ...(options.logDestination && { destination: options.logDestination }),
      streams: pausesOf(config, calendar, clock.nowMs()),
      callLimit,
      quietPauseMs: calendar.quietPauseMs,
    },
    { clock, controls: controlHandler },
  );
  const telemetry = observed(observability.telemetry, options.observer);
  const { maxConcurrentRequests } = config.instagram;
  const rateLimiter = new RateLimiter({ clock, telemetry, maxConcurrentRequests });
  const instagram = openInstagram(
    {
      ...config.instagram,
      baseUrl: graphBase(config.instagram),
      accountPolling: config.accountPolling,
    },
    {
      telemetry,
      clock,
      onUsage: (report) => {
        rateLimiter.onUsage(report);
        options.onUsage?.(report);
      },
      guard: (graph) => rateLimiter.guard(graph),
      onExchange: options.onExchange,
      ...tokenFileOf(config, observability),
    },
  );
  const pending = new PendingChanges();
  return { observability, telemetry, instagram, rateLimiter, controlHandler, calendar, pending };
}

/** Returns telemetry that reports to an observer too. */
function observed(telemetry: Telemetry, observer: Telemetry | undefined): Telemetry {
  return {
    report(event) {
      telemetry.report(event);
      observer?.report(event);
    },
  };
}

/** The longest pause between two polls of each enabled stream. */
function pausesOf(config: Config, calendar: PollCalendar, nowMs: number) {
  const pauses = enabledStreams(config).map((name) => {
    const intervalMs = calendar.longestPauseMs(name, nowMs) ?? config.streams[name].intervalMs;
    return [name, { intervalMs }] as const;
  });
  return Object.fromEntries(pauses);
}

function pollerTools(
  config: Config,
  { instance, clock, tracer = noTracer }: ResolvedOptions,
  parts: ReturnType<typeof openSource> & Pick<PollerTools, 'encoder'>,
): ReadingTools {
  const { polling, kafka } = config;
  const { retryBaseMs: baseMs, retryMaxMs: maxMs, maxAttempts } = polling;
  return {
    graph: parts.instagram.graph,
    encoder: parts.encoder,
    clock,
    source: createSource(sourceSettings(config)),
    telemetry: parts.telemetry,
    suppressionEntry,
    pending: parts.pending,
    rateLimiter: parts.rateLimiter,
    pollPermits: new Semaphore(polling.concurrency),
    prepareAccount: () => Promise.resolve(),
    tracer,
    random: Math.random,
    retry: { baseMs, maxMs, maxAttempts },
    settings: {
      lookbackMs: polling.lookbackMs,
      maxBatchRecords: kafka.maxBatchRecords,
      publish: Object.fromEntries(streamNames.map((name) => [name, config.streams[name].publish])),
      eventTimed: eventTimedStreams(config),
      fieldRules: fieldRulesOf(config),
      tombstones: kafka.tombstones,
      instance,
    },
  };
}

/** Prepares schemas, topics and accounts; returns the parts that the supervisor runs. */
async function start(
  config: Config,
  { kafka, registry, instagram, overrides, controlHandler, shutdown, calendar }: Adapters,
  tools: ReadingTools & StartTools & { readonly verified?: PromiseWithResolvers<unknown> },
  signal: AbortSignal,
): Promise<Supervision> {
  const topics = untilReady('kafka', (stop) => kafka.prepareTopics(stop), tools, signal);
  const prepareSchemas = async (stop: AbortSignal): Promise<void> => {
    // A registry that lost its data would give a new schema an id by which states were written.
    const isKnown = await registry.hasStates(stop);
    if (!isKnown) await topics.then(() => kafka.stateAdmin.verifySchemas(stop));
    tools.verified?.resolve(undefined);
    await registry.prepare(stop);
  };
  // Invariant 6: schemas are checked before the first poll.
  const [, , listing] = await Promise.all([
    untilReady('registry', prepareSchemas, tools, signal),
    topics,
    untilReady('graph', (stop) => instagram.directory.list(stop), tools, signal),
  ]);
  const polled = enabledStreams(config).map((name) => ({
    stream: requestedStream(config, name),
    intervalMs: config.streams[name].intervalMs,
  }));
  const { apiVersion, accountsRefreshMs } = config.instagram;
  return {
    overrides,
    controlHandler,
    shutdown,
    directory: startingWith(listing, instagram.directory),
    group: kafka.group,
    store: kafka.stateStore,
    streams: polled,
    accountsRefreshMs,
    watch: (account, until) =>
      watchContract({ streams: polled, apiVersion, account }, tools, until),
    jitter: config.polling.jitter,
    calendar,
  };
}
