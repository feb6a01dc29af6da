import type { Config } from './config/config.ts';
import { createShutdownBudget, type ShutdownBudget } from './engine/shutdown-budget.ts';
import { streamNames, type StreamName, type TopicRole } from './engine/stream-name.ts';
import {
  kafkaSecurity,
  controlTokenOf,
  registryAccess,
  secretsOfConfig,
  tokenFileOf,
} from './credentials.ts';
import { openInstagram } from './instagram/index.ts';
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
import { pollSettings, sourceSettings } from './poll-settings.ts';
import { openRegistry } from './registry/index.ts';
import { watchContract } from './instagram/extract/contract-probe.ts';
import { createSource, type InstagramSource } from './instagram/extract/extract.ts';
import { systemClock } from './engine/clock.ts';
import type {
  AccountDirectory,
  AccountListing,
  Clock,
  Encoder,
  OnUsage,
  Telemetry,
  Tracer,
} from './engine/ports.ts';
import { createRateLimiter } from './engine/rate-limit/rate-limiter.ts';
import type { PollerTools } from './engine/poller.ts';
import { type StartTools, untilReady } from './engine/startup.ts';
import { superviseOnce, type PolledJob } from './engine/once.ts';
import { supervise, type Supervision } from './engine/supervisor.ts';
import { createControlHandler } from './engine/control-handler.ts';
import { createOverrides } from './engine/overrides.ts';
import { noTracer } from './engine/tracing.ts';
import { settled } from './engine/shutdown.ts';
import { createSemaphore } from './engine/rate-limit/semaphore.ts';
import { compactedStreams, streams } from './instagram/streams/index.ts';
import { openTracing } from './observability/traces/index.ts';

/** Values that only the running process has: version, host name, clock, log destination. */
export interface AppOptions {
  readonly version: string;
  /** The host's name; the configured instance name takes precedence. */
  readonly hostName: string;
  /** Default: the system clock; benchmarks that simulate a day pass their own. */
  readonly clock?: Clock;
  /** Receives every event in addition to logs, metrics and health. */
  readonly observer?: Telemetry;
  /** Traces polls when no standard variable configures an exporter. */
  readonly tracer?: Tracer;
  /** Receives the usage that each response reports, in addition to the rate limiter. */
  readonly onUsage?: OnUsage;
  /** The destination of log lines; standard output by default. */
  readonly logDestination?: NonNullable<ObservabilityOptions['destination']> & {
    readonly isTTY?: boolean;
  };
}

/** The options with defaults applied. */
interface Surroundings extends AppOptions {
  readonly instance: string;
  readonly clock: Clock;
}

/** The result of one poll of every job. */
export interface Once {
  readonly polled: readonly PolledJob[];
  /** Errors of the account list because of which accounts may be missing. */
  readonly problems: readonly string[];
  /** Entries of the account list that were excluded. */
  readonly warnings: readonly string[];
}

/** The application: all adapters and the engine. */
export interface App extends AsyncDisposable {
  readonly log: LeveledLog;
  /** Changes the interval of an enabled stream; a disabled stream is ignored. */
  setInterval(stream: StreamName, intervalMs: number): void;
  /**
   * Limits polling to these accounts from the next listing on; empty: all that the token reaches.
   */
  setAccounts(accountIds: readonly string[]): void;
  /** Serves health and metrics, starts, and polls until aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Starts, polls every enabled stream once, and returns the results. */
  once(signal: AbortSignal): Promise<Once>;
}

type Adapters = ReturnType<typeof openAdapters>;

/** The composition root: opens the adapters and hands them to the runtime. Nothing connects yet. */
export function createApp(config: Config, options: AppOptions): App {
  const surroundings = surroundingsOf(config, options);
  const { clock } = surroundings;
  const shutdown = createShutdownBudget(config.polling.shutdownGraceMs, () => performance.now());
  const adapters = openAdapters(config, surroundings, shutdown);
  const { observability, telemetry, kafka, registry, instagram } = adapters;
  const { encoder } = registry;
  const { publisher } = kafka;
  const tools = { ...pollerTools(config, surroundings, { ...adapters, encoder }), publisher };
  const { apiVersion } = config.instagram;
  const { log } = observability;
  const openTraces = () => openTracing({ ...surroundings, env: process.env, log, shutdown });
  return {
    log,
    setInterval(stream, intervalMs) {
      if (config.streams[stream].enabled) adapters.overrides.setInterval(stream, intervalMs);
    },
    setAccounts(accountIds) {
      instagram.directory.setAccounts(accountIds);
    },
    async run(signal) {
      shutdown.beginWith(signal);
      const served = await observability.listen();
      observability.log.info({ url: served?.url ?? null }, 'started');
      void instagram.keepTokens();
      void watchVersion(apiVersion, { clock, telemetry }, signal);
      await using tracing = await openTraces();
      const { directory } = await start(adapters, { tools, deadlineMs: null, signal });
      const what = supervision(config, adapters, { tools, directory });
      await supervise(what, { ...tools, ...tracing }, signal);
    },
    async once(signal) {
      shutdown.beginWith(signal);
      const deadlineMs = clock.nowMs() + config.polling.onceTimeoutMs;
      const kept = instagram.keepTokens();
      telemetry.report(versionEvent(apiVersion, clock.nowMs()));
      await using tracing = await openTraces();
      const { directory, ...listed } = await start(adapters, { tools, deadlineMs, signal });
      const othersLeaveMs = config.kafka.group.sessionTimeoutMs + sessionEndMs;
      const onceTools = { ...tools, ...tracing, deadlineMs, othersLeaveMs };
      const what = supervision(config, adapters, { tools, directory });
      const polled = await superviseOnce(what, onceTools, signal);
      // In a deployment that runs only `once`, this is the only renewal of tokens.
      await untilDoneOrAborted(kept, signal);
      return { polled, ...listed };
    },
    [Symbol.asyncDispose]: () => close(adapters),
  };
}

/** Closes the adapters, and the observability last: it reports how the adapters close. */
async function close(adapters: Adapters): Promise<void> {
  const { instagram, kafka, registry, observability, shutdown } = adapters;
  const others = [instagram, kafka, registry].map((adapter) => adapter[Symbol.asyncDispose]());
  await settled(Promise.allSettled(others), shutdown.leftMs('adapters'));
  await settled(observability[Symbol.asyncDispose](), shutdown.leftMs('server'));
}

function surroundingsOf(config: Config, options: AppOptions): Surroundings {
  const instance = config.polling.instance ?? options.hostName;
  return { ...options, instance, clock: options.clock ?? systemClock };
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
  const surroundings = surroundingsOf(config, options);
  const source = openSource(config, surroundings);
  const { instagram, observability } = source;
  return {
    directory: instagram.directory,
    tools: pollerTools(config, surroundings, { ...source, encoder }),
    async [Symbol.asyncDispose]() {
      await instagram[Symbol.asyncDispose]();
      await observability[Symbol.asyncDispose]();
    },
  };
}

function openAdapters(config: Config, options: Surroundings, shutdown: ShutdownBudget) {
  const { topicTemplate } = config.kafka;
  const roles: readonly TopicRole[] = [...enabledStreams(config), 'state', 'dead_letters'];
  const source = openSource(config, options);
  const { log, hide } = source.observability;
  const access = registryAccess(config.schemaRegistry, hide);
  const registry = openRegistry({ ...access, topicTemplate, roles }, { log });
  const security = kafkaSecurity(config.kafka, hide);
  const kafka = openKafka(
    { ...config.kafka, security, instance: options.instance, roles, compacted: compactedStreams },
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
  return { ...source, registry, kafka, shutdown, overrides: createOverrides(source.telemetry) };
}

/** Opens the API client and the observability that reports on it. */
function openSource(config: Config, options: Surroundings) {
  const { clock } = options;
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
      streams: Object.fromEntries(
        enabledStreams(config).map((name) => [name, config.streams[name]]),
      ),
    },
    { clock, controls: controlHandler },
  );
  const telemetry = withObserver(observability.telemetry, options.observer);
  const { maxConcurrentRequests } = config.instagram;
  const rateLimiter = createRateLimiter({ clock, telemetry, maxConcurrentRequests });
  const instagram = openInstagram(
    { ...config.instagram, baseUrl: graphBase(config.instagram) },
    {
      telemetry,
      clock,
      onUsage: (report) => {
        rateLimiter.onUsage(report);
        options.onUsage?.(report);
      },
      guard: (graph) => rateLimiter.guard(graph),
      ...tokenFileOf(config, observability.hide, (fields, message) => {
        observability.log.warn(fields, message);
      }),
    },
  );
  return { observability, telemetry, instagram, rateLimiter, controlHandler };
}

function withObserver(telemetry: Telemetry, observer: Telemetry | undefined): Telemetry {
  if (observer === undefined) return telemetry;
  return {
    report(event) {
      telemetry.report(event);
      observer.report(event);
    },
  };
}

function enabledStreams(config: Config) {
  return streamNames.filter((name) => config.streams[name].enabled);
}

function pollerTools(
  config: Config,
  { instance, clock, tracer = noTracer }: Surroundings,
  parts: ReturnType<typeof openSource> & Pick<PollerTools, 'encoder'>,
): ReadingTools {
  const { polling } = config;
  return {
    graph: parts.instagram.graph,
    encoder: parts.encoder,
    clock,
    source: createSource(sourceSettings(config)),
    telemetry: parts.telemetry,
    rateLimiter: parts.rateLimiter,
    pollPermits: createSemaphore(polling.concurrency),
    tracer,
    random: Math.random,
    retry: {
      baseMs: polling.retryBaseMs,
      maxMs: polling.retryMaxMs,
      maxAttempts: polling.maxAttempts,
    },
    settings: pollSettings(config, instance),
  };
}

/** Prepares schemas, topics and accounts before the instance joins the group. */
async function start(
  { kafka, registry, instagram }: Adapters,
  at: { tools: PollerTools; deadlineMs: number | null; signal: AbortSignal },
): Promise<{ readonly directory: AccountDirectory } & Pick<Once, 'problems' | 'warnings'>> {
  const tools: StartTools = { ...at.tools, deadlineMs: at.deadlineMs };
  const { signal } = at;
  // Invariant 6: schemas are checked before the first poll.
  const [, , listing] = await Promise.all([
    untilReady({ name: 'registry', run: (s) => registry.prepare(s) }, tools, signal),
    untilReady({ name: 'kafka', run: (s) => kafka.prepareTopics(s) }, tools, signal),
    untilReady({ name: 'graph', run: (s) => instagram.directory.list(s) }, tools, signal),
  ]);
  return {
    directory: startingWith(listing, instagram.directory),
    problems: listing.problems,
    warnings: listing.warnings,
  };
}

/** Returns the start's account list first; later calls list the accounts again. */
function startingWith(first: AccountListing, directory: AccountDirectory): AccountDirectory {
  let listed: AccountListing | undefined = first;
  return {
    renewed: (signal) => directory.renewed(signal),
    list(signal) {
      const known = listed;
      listed = undefined;
      return known === undefined ? directory.list(signal) : Promise.resolve(known);
    },
  };
}

function supervision(
  config: Config,
  { kafka, overrides, controlHandler, shutdown }: Adapters,
  { tools, directory }: { readonly tools: ReadingTools; readonly directory: AccountDirectory },
): Supervision {
  const polled = enabledStreams(config).map((name) => ({
    stream: streams[name],
    intervalMs: config.streams[name].intervalMs,
  }));
  const { apiVersion, accountsRefreshMs } = config.instagram;
  return {
    overrides,
    controlHandler,
    shutdown,
    directory,
    group: kafka.group,
    store: kafka.stateStore,
    streams: polled,
    accountsRefreshMs,
    watch: (account, signal) =>
      watchContract({ streams: polled, apiVersion, account }, tools, signal),
    jitter: config.polling.jitter,
  };
}

/** Waits for the work to end or for the abort. */
async function untilDoneOrAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const stopped = Promise.withResolvers<undefined>();
  const stop = (): void => {
    stopped.resolve(undefined);
  };
  signal.addEventListener('abort', stop);
  if (!signal.aborted) await Promise.race([work, stopped.promise]);
  signal.removeEventListener('abort', stop);
}

/** The broker detects expired sessions with a short delay. */
const sessionEndMs = 1000;
