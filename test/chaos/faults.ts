import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../sandbox/graph-api/faults.ts';
import { electLeaders } from './leaders.ts';
import type { Disturbance } from './proxy.ts';
import type { FaultKind, PlannedFault } from './schedule.ts';
import type { Site } from './site.ts';

/** Ends a fault; resolves when what it hit serves again. */
type End = () => Promise<void> | void;

/** How a kind of fault is done, and what it must have for itself meanwhile. */
interface Way {
  readonly partitionProducers: (fault: PlannedFault, site: Site) => readonly string[];
  readonly begin: (fault: PlannedFault, site: Site) => Promise<End> | End;
}

const BROKERS = 3;

/** What the API answers in place of the truth; none of them is for ever. */
const API_ERRORS: readonly FaultRule['effect'][] = [
  { error: 'retry-later' },
  { error: 'unexpected' },
  { error: 'unavailable' },
  { html: true, status: 502 },
  { close: 'before' },
  { close: 'middle' },
  { truncate: 200 },
  { body: {} },
  { empty: true },
  { latency_ms: 1500 },
];

const inAMoment = { 'Retry-After': '1' };
const API_LIMITS: readonly FaultRule['effect'][] = [
  { error: 'app-limit', headers: inAMoment },
  { error: 'user-limit', headers: inAMoment },
  { error: 'account-limit', headers: inAMoment },
  { error: 'calls-exceeded', headers: inAMoment },
  { status: 429, body: {}, headers: inAMoment },
];

const instanceOf = ({ target }: PlannedFault, { fleet }: Site) => target % fleet.size;
const onInstance = (fault: PlannedFault, site: Site) => [`instance ${instanceOf(fault, site)}`];
// Never two brokers at once: a third could not go on alone.
const onBrokers = () => ['brokers'];
// While a broker is away or comes back, too.
const onLeaders = () => ['leaders'];
const onWay = ({ target }: PlannedFault, { ways }: Site) => [`way ${target % ways.length}`];
const onApi = () => ['api'];

/** A fault of the ways, on one of them. */
function disturbing(disturbanceOf: (fault: PlannedFault) => Disturbance): Way {
  return {
    partitionProducers: onWay,
    begin: (fault, { ways }) => {
      const way = ways[fault.target % ways.length];
      way?.disturb(disturbanceOf(fault));
      return () => way?.calm();
    },
  };
}

/** A fault of the API, of so many requests at most while it lasts. */
function answering(effects: readonly FaultRule['effect'][], times: number): Way {
  return {
    partitionProducers: onApi,
    begin: ({ target }, { api }) => {
      const effect = effects[target % effects.length];
      if (effect !== undefined) api.faults.add({ skip: 1, times, effect });
      return () => {
        api.faults.clear();
      };
    },
  };
}

const WAYS: Readonly<Record<FaultKind, Way>> = {
  kill: {
    partitionProducers: onInstance,
    begin: async (fault, site) => {
      const index = instanceOf(fault, site);
      await site.fleet.kill(index);
      return () => {
        site.fleet.start(index);
      };
    },
  },
  restart: {
    partitionProducers: onInstance,
    begin: async (fault, site) => {
      const index = instanceOf(fault, site);
      await site.fleet.stop(index);
      return () => {
        site.fleet.start(index);
      };
    },
  },
  pause: {
    partitionProducers: onInstance,
    begin: (fault, site) => {
      const index = instanceOf(fault, site);
      site.fleet.pause(index);
      return () => {
        site.fleet.resume(index);
      };
    },
  },
  kill_broker: {
    partitionProducers: onBrokers,
    begin: async ({ target }, { cluster }) => {
      await cluster.broker.kill(target % BROKERS);
      return () => cluster.broker.start(target % BROKERS);
    },
  },
  restart_broker: {
    partitionProducers: onBrokers,
    begin: async ({ target }, { cluster }) => {
      await cluster.broker.stop(target % BROKERS);
      return () => cluster.broker.start(target % BROKERS);
    },
  },
  pause_broker: {
    partitionProducers: onBrokers,
    begin: async ({ target }, { cluster }) => {
      await cluster.broker.pause(target % BROKERS);
      return () => cluster.broker.resume(target % BROKERS);
    },
  },
  elect_leaders: {
    partitionProducers: onLeaders,
    begin: async (_fault, { cluster }) => {
      await electLeaders(cluster.brokers);
      return () => undefined;
    },
  },
  rebalance: {
    partitionProducers: (fault, site) => [...onBrokers(), ...onInstance(fault, site)],
    begin: async (fault, site) => {
      const broker = Math.floor(fault.target / 10) % BROKERS;
      await site.cluster.broker.pause(broker);
      return () => handOverAndResume(broker, fault, site);
    },
  },
  delay: disturbing(({ durationMs }) => ({ kind: 'delay', delayMs: 20 + (durationMs % 400) })),
  drop: disturbing(() => ({ kind: 'drop' })),
  cut: disturbing(() => ({ kind: 'cut' })),
  halve: disturbing(({ durationMs }) => ({
    kind: 'halve',
    side: durationMs % 2 === 0 ? 'client' : 'server',
  })),
  api_error: answering(API_ERRORS, 20),
  // A second refusal before an answer is taken for a long one, and waited out for ten minutes.
  api_limit: answering(API_LIMITS, 1),
};

const LONGEST_RESTORE_MS = 2_000;

/**
 * Stops an instance, so that the others restore its partitions, and resumes the broker meanwhile: it
 * may be asked for states before it knows that it leads their partitions no more.
 */
async function handOverAndResume(broker: number, fault: PlannedFault, site: Site): Promise<void> {
  const index = instanceOf(fault, site);
  await site.fleet.stop(index);
  await sleep(fault.durationMs % LONGEST_RESTORE_MS);
  await site.cluster.broker.resume(broker);
  site.fleet.start(index);
}

/** Faults that wait for others which hit the same. */
export class Inflicting {
  readonly counts = new Map<FaultKind, number>();
  readonly #site: Site;
  readonly #partitionProducers = new Map<string, Promise<void>>();

  constructor(site: Site) {
    this.#site = site;
  }

  /** Does a fault, keeps it up, and ends it; resolves when what it hit serves again. */
  inflict(fault: PlannedFault, hold: (durationMs: number) => Promise<void>): Promise<void> {
    const { partitionProducers, begin } = WAYS[fault.kind];
    const names = partitionProducers(fault, this.#site);
    const before = Promise.all(
      names.map((name) => this.#partitionProducers.get(name) ?? Promise.resolve()),
    );
    const turn = before.then(async () => {
      const end = await begin(fault, this.#site);
      this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + 1);
      await hold(fault.durationMs).finally(end);
    });
    const over = turn.catch(() => undefined);
    for (const name of names) this.#partitionProducers.set(name, over);
    return turn;
  }
}
