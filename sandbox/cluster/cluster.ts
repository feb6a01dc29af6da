import type { Versions } from './artifacts.ts';

/**
 * Faults on demand for the members (brokers, or the registry) of a cluster.
 * Every call takes the index of one member; without an index it applies to all members. A call has
 * no effect on a member that is in the requested state already. Calls on the same member must not
 * overlap. A cluster from the environment rejects every call, because this process did not start
 * it.
 */
export interface Faults {
  /** Kills the member at once, like a power cut (SIGKILL); resolves when it has ended. */
  kill(index?: number): Promise<void>;
  /** Stops the member (SIGTERM); resolves when it has ended. */
  stop(index?: number): Promise<void>;
  /**
   * Starts a stopped or killed member on the same port with the same data; resolves when it accepts
   * requests. When most of several brokers are down, start them together: one alone has no quorum
   * to join.
   */
  start(index?: number): Promise<void>;
  /** Freezes the member (SIGSTOP): connections stay open, no request is answered. */
  pause(index?: number): Promise<void>;
  /** Ends a pause (SIGCONT). */
  resume(index?: number): Promise<void>;
}

/** The origin of a cluster. */
export type ClusterSource = 'environment' | 'docker' | 'java';

/**
 * A running Kafka and Schema Registry; disposal stops everything that was started for it and
 * removes its data.
 */
export interface Cluster extends AsyncDisposable {
  readonly source: ClusterSource;
  /** `host:port` of every broker. */
  readonly brokers: readonly string[];
  /** `host:port` of every broker's listener for its proxy, if proxies were requested. */
  readonly behindProxies?: readonly string[];
  /** Base URL of the Confluent-compatible API, path included, without a trailing slash. */
  readonly registryUrl: string;
  readonly broker: Faults;
  readonly registry: Faults;
  /** Lets each broker run another version of Kafka from its next start on. By Java only. */
  readonly changeKafka?: (version: string) => Promise<void>;
}

/** Requirements of a cluster. */
export interface ClusterOptions {
  /** Allowed origins; default: all. The first available one is used. */
  readonly sources?: readonly ClusterSource[];
  /** Number of brokers, 1 by default. Several form a real KRaft cluster, by Java only. */
  readonly brokers?: number;
  /**
   * `host:port` of a proxy for each broker. A second listener of the broker advertises the proxy,
   * so that its clients return to it. By Java only.
   */
  readonly proxies?: readonly string[];
  /** Versions other than the sandbox's own, by Java only. */
  readonly versions?: Partial<Versions>;
  /** The `java` of the registry; Apicurio 3.3 needs Java 21. By default that of the brokers. */
  readonly registryJava?: string;
  /** For measurements: slower start, full speed afterwards. */
  readonly toMeasure?: boolean;
  /** The environment to read; the process's own by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** Receives a line for a person at the beginning of each slow step. */
  readonly log?: (line: string) => void;
  /** Aborts the start; members that have started are stopped. */
  readonly signal?: AbortSignal;
}

/** The options with all defaults, as each origin receives them. */
export interface ClusterRequest {
  readonly brokers: number;
  readonly proxies?: readonly string[];
  readonly versions?: Partial<Versions> | undefined;
  readonly registryJava?: string | undefined;
  readonly toMeasure: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** One broker or registry that can be stopped and started; see {@link Faults} for each call. */
export interface Member {
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

type Action = keyof Member;

/**
 * Creates the {@link Faults} of some members.
 *
 * @param kind - name of a member in errors, such as `broker`
 * @throws RangeError (as a rejection) on an unknown index
 */
export function createFaults(kind: string, members: readonly Member[]): Faults {
  async function apply(action: Action, index: number | undefined): Promise<void> {
    if (index === undefined) {
      await Promise.all(members.map((member) => member[action]()));
      return;
    }
    const member = members[index];
    if (member === undefined) {
      throw new RangeError(
        `no ${kind} ${index}: expected an index from 0 to ${members.length - 1}`,
      );
    }
    await member[action]();
  }
  return mapActions((action) => (index) => apply(action, index));
}

/** Creates {@link Faults} that reject every call with the reason. */
export function createUnsupportedFaults(reason: string): Faults {
  return mapActions((action) => () => Promise.reject(new Error(`cannot ${action}: ${reason}`)));
}

function mapActions(make: (action: Action) => (index?: number) => Promise<void>): Faults {
  return {
    kill: make('kill'),
    stop: make('stop'),
    start: make('start'),
    pause: make('pause'),
    resume: make('resume'),
  };
}
