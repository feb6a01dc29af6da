import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterOptions } from '../../../sandbox/cluster/start.ts';
import type { Program } from '../../../sandbox/program.ts';
import { createWorld } from '../../../sandbox/graph-api/world.ts';
import type { DecodedRecord } from '../../../sandbox/topics.ts';
import { type Deployment, type Ended, deploy } from '../../integration/end-to-end/deployment.ts';
import { awaitTransactionsEnd } from '../../support/partition-ends.ts';
import { type Visit, watchApi } from './watched-api.ts';

type Line = Readonly<Record<string, unknown>>;

/** One running instance. */
export interface Instance {
  readonly name: string;
  readonly program: Program;
  readonly log: readonly Line[];
  /** The partitions of its last assignment event; undefined before the first. */
  owned(): readonly number[] | undefined;
  /** The number of log lines with a message. */
  said(message: string): number;
  readyz(): Promise<{ readonly status: number; readonly body: Line }>;
  /** Sends a control request. */
  control(path: string, body?: object): Promise<{ readonly status: number; readonly body: Line }>;
  /** Sends SIGTERM and returns the exit code. */
  stop(): Promise<number | null>;
}

/** Instances of the program that share the accounts of one simulated world. */
export interface Fleet extends AsyncDisposable {
  readonly deployment: Deployment;
  readonly accounts: readonly string[];
  readonly visits: readonly Visit[];
  readonly hidden: Set<string>;
  start(name: string, changes?: Readonly<Record<string, string>>): Promise<Instance>;
  /** Runs `once` to its end. */
  once(): Promise<Ended>;
  /** Resolves when exactly these instances own all partitions, each at least one. */
  shared(instances: readonly Instance[]): Promise<void>;
  /**
   * Resolves when these accounts, by default all, have been polled since the call and all their
   * media are published.
   */
  polled(accounts?: readonly string[]): Promise<void>;
}

const accountsOfWorld = 12;
const mediaPerAccount = 3;
export const partitions = 6;
export const sessionMs = 6000;

const controlToken = 'the-operator-of-the-test';

const settings = {
  STREAMS: 'users,media',
  STREAM_USERS_INTERVAL: '1s',
  STREAM_MEDIA_INTERVAL: '1s',
  INSTAGRAM_ACCOUNTS_REFRESH: '1s',
  KAFKA_TOPICS_STATE_PARTITIONS: String(partitions),
  // The minimum of the broker's default configuration.
  KAFKA_GROUP_SESSION_TIMEOUT: `${sessionMs}ms`,
  KAFKA_GROUP_HEARTBEAT: '500ms',
  HTTP_TOKEN: controlToken,
};

/**
 * Starts a world that does not change, so that every media is published once.
 *
 * @param clusterOptions - which cluster; by default that of the environment, or a new one
 */
export async function createFleet(clusterOptions?: ClusterOptions): Promise<Fleet> {
  await using stack = new AsyncDisposableStack();
  const world = createWorld({
    seed: 7,
    accounts: accountsOfWorld,
    smallAccounts: 0,
    mediaPerAccount,
    storiesPerAccount: 0,
    insightsDays: 2,
  });
  const deployment = stack.use(await deploy(world, clusterOptions));
  const accounts = world.accounts.map(({ id }) => id);
  const watch = { visits: [] as Visit[], hidden: new Set<string>() };
  const owned = stack.move();
  return {
    deployment,
    accounts,
    visits: watch.visits,
    hidden: watch.hidden,
    async start(name, changes = {}) {
      const api = owned.use(await watchApi(deployment.api.url, name, watch));
      const env = { ...settings, INSTAGRAM_BASE_URL: api.url, POLLING_INSTANCE: name, ...changes };
      return startInstance(name, deployment, env);
    },
    once: () => deployment.once(settings),
    async shared(instances) {
      const dealt = () => {
        const all = instances.flatMap((one) => one.owned() ?? []);
        const each = instances.every((one) => (one.owned() ?? []).length > 0);
        return each && all.length === partitions && new Set(all).size === partitions;
      };
      await until(dealt, () => `all partitions are shared: ${describe(instances)}`);
    },
    async polled(wanted = accounts) {
      const from = watch.visits.length;
      const seen = () => new Set(watch.visits.slice(from).flatMap((visit) => visit.accounts));
      await until(
        () => wanted.every((id) => seen().has(id)),
        () => `polls of ${wanted.filter((id) => !seen().has(id)).join(', ')}`,
      );
      // The visit may belong to another stream: a stop at once would abort the first poll of the media.
      await until(
        async () => {
          const records = await deployment.read('media');
          const published = records.filter(({ headers: { account = '' } }) =>
            wanted.includes(account),
          );
          return new Set(published.map(({ key }) => key)).size >= wanted.length * mediaPerAccount;
        },
        () => 'every media of these accounts is published',
      );
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function startInstance(
  name: string,
  deployment: Deployment,
  env: Readonly<Record<string, string>>,
): Instance {
  const log: Line[] = [];
  const program = deployment.run(env, (entry) => log.push(entry));
  const send = async (path: string, init: RequestInit = {}) => {
    await until(
      () => log.some(({ msg }) => msg === 'http server listening'),
      () => `${name} serves`,
    );
    const url = String(log.find(({ msg }) => msg === 'http server listening')?.['url']);
    const response = await fetch(`${url}${path}`, init);
    return { status: response.status, body: (await response.json()) as Line };
  };
  return {
    name,
    program,
    log,
    owned: () =>
      log.findLast(({ owned }) => Array.isArray(owned))?.['owned'] as number[] | undefined,
    said: (message) => log.filter(({ msg }) => msg === message).length,
    readyz: () => send('/readyz'),
    control: (path, body) =>
      send(path, {
        method: 'POST',
        headers: { authorization: `Bearer ${controlToken}` },
        ...(body && { body: JSON.stringify(body) }),
      }),
    stop() {
      program.process.kill('SIGTERM');
      return program.ended;
    },
  };
}

function describe(instances: readonly Instance[]): string {
  return instances.map((one) => `${one.name} ${JSON.stringify(one.owned())}`).join(', ');
}

/** Waits for a condition, for at most half a minute. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: () => string,
  limitMs = 40_000,
): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain until ${what()}`);
    await sleep(25);
  }
}

/** Media of the world. */
export const allMedia = accountsOfWorld * mediaPerAccount;

/** The findings without a loss and without a duplicate. */
export const exactlyOnce: Findings = { twice: [], profilesUnlikeState: [], media: allMedia };

/** The final findings: each record once, and states equal to the published records. */
export interface Findings {
  /** Records of a (topic, key, poll) that occur more than once. */
  readonly twice: readonly string[];
  /** Profiles: every poll commits one, so that the sequence of the state equals their number. */
  readonly profilesUnlikeState: readonly string[];
  /** Media: the world does not change, so that each is published once by the first instance that polls it. */
  readonly media: number;
}

/** Reads all topics as a read_committed consumer, after every transaction begun so far has ended. */
export async function findings({ deployment, accounts }: Fleet): Promise<Findings> {
  const [broker = ''] = deployment.cluster.brokers;
  await awaitTransactionsEnd(broker, {
    [deployment.topicOf('users')]: 2,
    [deployment.topicOf('media')]: 2,
    [deployment.topicOf('state')]: partitions,
  });
  const [users, media, states] = await Promise.all(
    ['users', 'media', 'state'].map((role) => deployment.read(role)),
  );
  const records = [...(users ?? []), ...(media ?? [])];
  const ids = records.map((one) => `${one.topic} ${one.key} ${one.headers['poll'] ?? ''}`);
  const last = new Map((states ?? []).map((one) => [one.key, one]));
  return {
    twice: ids.filter((id, index) => ids.indexOf(id) !== index),
    profilesUnlikeState: accounts.flatMap((id) => {
      const published = (users ?? []).filter(({ key }) => key === id).length;
      const sequence = sequenceOf(last.get(`users/${id}`));
      return published === sequence ? [] : [`${id}: ${published} published, state ${sequence}`];
    }),
    media: (media ?? []).length,
  };
}

function sequenceOf(state: DecodedRecord | undefined): number {
  return Number(state?.value?.['sequence'] ?? 0);
}

/** Accounts that two instances requested at the same moment. */
export function overlaps(visits: readonly Visit[]): readonly string[] {
  const found: string[] = [];
  for (const [index, one] of visits.entries()) {
    for (const other of visits.slice(index + 1)) {
      if (one.instance === other.instance || one.toMs <= other.fromMs) continue;
      if (other.toMs <= one.fromMs) continue;
      const both = one.accounts.filter((id) => other.accounts.includes(id));
      found.push(...both.map((id) => `${id} by ${one.instance} and ${other.instance}`));
    }
  }
  return found;
}
