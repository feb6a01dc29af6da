import { type Draw, createDraw, drawInteger } from '../../sandbox/graph-api/world/draws.ts';

/** What is done to the program, to Kafka, to the ways between them, and by the API. */
export const FAULT_KINDS = [
  'kill',
  'restart',
  'pause',
  'kill_broker',
  'restart_broker',
  'pause_broker',
  'elect_leaders',
  'rebalance',
  'delay',
  'drop',
  'cut',
  'halve',
  'api_error',
  'api_limit',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

/** One fault of a schedule. */
export interface PlannedFault {
  /** After the round's beginning. */
  readonly atMs: number;
  readonly kind: FaultKind;
  /** An index, to be taken modulo the number of what there is: instances, brokers, ways, errors. */
  readonly target: number;
  /** How long it lasts: until what was killed is started again, what was stopped goes on. */
  readonly durationMs: number;
}

/** Faults, after which the world comes to rest and is compared with Kafka. */
export type Round = readonly PlannedFault[];

/** Longer than the session of the program's group, so that who wakes up has lost what it had. */
const PAUSE_MS = [9_000, 14_000] as const;

/** Longer than the session of a broker, so that others lead its partitions when it comes back. */
const OUTAGE_MS = [4_000, 7_000] as const;

const DURATIONS_MS: Readonly<Record<FaultKind, readonly [number, number]>> = {
  kill: [0, 3_000],
  restart: [0, 1_000],
  pause: PAUSE_MS,
  kill_broker: [500, 4_000],
  restart_broker: [0, 2_000],
  pause_broker: [1_000, 6_000],
  elect_leaders: [0, 0],
  rebalance: OUTAGE_MS,
  delay: [1_000, 5_000],
  drop: [1_000, 8_000],
  cut: [100, 1_000],
  halve: [500, 3_000],
  api_error: [500, 3_000],
  api_limit: [500, 3_000],
};

const ROUND_MS = 40_000;
const EVERY_MS = 2_500;

/**
 * Plans the faults of a run; the same seed and length give the same. All kinds come before one comes
 * again.
 */
export function planFaults(seed: number, minutes: number): Round[] {
  const draw = createDraw(`chaos/${seed}`);
  const totalMs = minutes * 60_000;
  const rounds = Math.max(1, Math.round(totalMs / ROUND_MS));
  const perRound = Math.max(1, Math.round(totalMs / rounds / EVERY_MS));
  const kinds = createDeck(draw);
  return Array.from({ length: rounds }, (_, round) =>
    Array.from({ length: perRound }, (_unused, index) =>
      planFault(draw, { name: `${round}/${index}`, kind: kinds(), slot: index }),
    ),
  );
}

function planFault(
  draw: Draw,
  { name, kind, slot }: { readonly name: string; readonly kind: FaultKind; readonly slot: number },
): PlannedFault {
  return {
    atMs: Math.round((slot + draw(`${name}/at`)) * EVERY_MS),
    kind,
    target: drawInteger(draw(`${name}/target`), 0, 999),
    durationMs: drawInteger(draw(`${name}/duration`), ...DURATIONS_MS[kind]),
  };
}

/** Deals the kinds, shuffled anew whenever all were dealt. */
function createDeck(draw: Draw): () => FaultKind {
  let deck: FaultKind[] = [];
  let dealt = 0;
  return () => {
    if (deck.length === 0) deck = [...FAULT_KINDS];
    const at = drawInteger(draw(`deck/${dealt}`), 0, deck.length - 1);
    dealt += 1;
    const [kind = 'kill'] = deck.splice(at, 1);
    return kind;
  };
}

/** A line for each fault, for people who want to see what a seed stands for. */
export function describeSchedule(rounds: readonly Round[]): string[] {
  return rounds.flatMap((round, index) =>
    round.map(
      ({ atMs, kind, target, durationMs }) =>
        `round ${index + 1}, ${(atMs / 1000).toFixed(1)} s: ${kind} ${target} for ${(durationMs / 1000).toFixed(1)} s`,
    ),
  );
}
