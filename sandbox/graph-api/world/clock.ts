/** The clock of a world; milliseconds since 1970, UTC. */
export interface Clock {
  /** World seconds per real second; 0 when it stands still. */
  readonly speed: number;
  /** Returns the world's time. */
  now(): number;
  /** Moves the world's time forward by `ms`. */
  advance(ms: number): void;
  /** Sets the world's time. */
  set(nowMs: number): void;
}

/** The start and the speed of a clock. */
export interface ClockOptions {
  readonly startMs: number;
  /** True for a clock that runs with real time; otherwise it moves by `advance` and `set` only. */
  readonly live: boolean;
  /** World milliseconds per real millisecond of a live clock. */
  readonly speed: number;
  /** The real time, injected for tests. */
  readonly realNow?: () => number;
}

/** Describes the speed of a clock, as the end of a sentence. */
export function describeSpeed({ speed }: Clock): string {
  if (speed === 0) return 'stands still';
  if (speed === 1) return 'runs in real time';
  const where = speed > 1 ? 'ahead of' : 'behind';
  return `runs at ${speed} times real time: times in records are ${where} the time of their poll`;
}

/** Creates a clock that stands still, or runs with real time multiplied by `speed`. */
export function createClock(options: ClockOptions): Clock {
  const realNow = options.realNow ?? Date.now;
  let baseMs = options.startMs;
  let setAtMs = realNow();
  const now = (): number =>
    options.live ? Math.floor(baseMs + (realNow() - setAtMs) * options.speed) : baseMs;
  const set = (nowMs: number): void => {
    baseMs = nowMs;
    setAtMs = realNow();
  };
  return {
    speed: options.live ? options.speed : 0,
    now,
    set,
    advance: (ms) => {
      set(now() + ms);
    },
  };
}
