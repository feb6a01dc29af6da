/**
 * Faults on demand for the members (brokers, or the registry) of a cluster.
 *
 * Every call takes the index of one member; without it, all members are meant. A call that asks for the state a member
 * is in already does nothing. Calls on the same member must not overlap. A cluster that was given by the environment
 * rejects every call, because it is not ours to stop.
 */
export interface Faults {
  /** Ends the member at once, as a power cut would (SIGKILL); resolves when it is gone. */
  kill(index?: number): Promise<void>;
  /** Asks the member to end (SIGTERM); resolves when it has. */
  stop(index?: number): Promise<void>;
  /**
   * Starts a stopped or killed member on the same port with the same data; resolves when it serves.
   * When most of several brokers are down, start them together: one alone has no quorum to join.
   */
  start(index?: number): Promise<void>;
  /** Freezes the member (SIGSTOP): connections stay open, nothing answers. */
  pause(index?: number): Promise<void>;
  /** Ends a pause (SIGCONT). */
  resume(index?: number): Promise<void>;
}

/** Where a cluster came from. */
export type ClusterSource = 'environment' | 'docker' | 'java';

/** A running Kafka and Schema Registry; disposing it ends everything that was started for it and removes its data. */
export interface Cluster extends AsyncDisposable {
  readonly source: ClusterSource;
  /** `host:port` of every broker. */
  readonly brokers: readonly string[];
  /** `host:port` of every broker's listener for its proxy, where proxies were asked for. */
  readonly behindProxies?: readonly string[];
  /** Base URL of the Confluent-compatible API, path included, without a slash at the end. */
  readonly registryUrl: string;
  readonly broker: Faults;
  readonly registry: Faults;
}

/** What a cluster should be. */
export interface ClusterOptions {
  /** Where it may come from; default: anywhere. The first that can serve is taken. */
  readonly sources?: readonly ClusterSource[];
  /** Number of brokers, 1 by default. Several are a real KRaft cluster, by Java only. */
  readonly brokers?: number;
  /**
   * `host:port` of a proxy for each broker: whoever comes through it is sent back to it, as each has
   * a second listener that advertises it. By Java only.
   */
  readonly proxies?: readonly string[];
  /** For measurements: slower to start, as quick as they get in the end. */
  readonly toMeasure?: boolean;
  /** The environment to read; the process's own by default. */
  readonly env?: NodeJS.ProcessEnv;
  /** Gets one line for a person whenever something slow begins. */
  readonly log?: (line: string) => void;
  /** Ends the start; what was started by then is stopped. */
  readonly signal?: AbortSignal;
}

/** The options with every default filled in, as each source gets them. */
export interface ClusterRequest {
  readonly brokers: number;
  readonly proxies?: readonly string[];
  readonly toMeasure: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}

/** One broker or registry that can be stopped and started; see {@link Faults} for the meaning of each call. */
export interface Member {
  kill(): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

type Action = keyof Member;

/**
 * Makes the {@link Faults} of some members.
 *
 * @param kind - what to call a member in an error, such as `broker`
 * @throws RangeError (as a rejection) on an index that no member has
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

/** Makes {@link Faults} that reject every call with the reason why they cannot be had. */
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
