/** The cost of a run of the program, by the simulator's ledger and the process itself. */
export interface RunCost {
  /** Calls as Meta counts them: one a request, one an item of a batch. */
  readonly calls: number;
  /** HTTP requests. */
  readonly requests: number;
  readonly seconds: number;
  readonly peakRssMb: number;
}

interface LoginCost {
  /** The first sync, a later poll of everything, and a day at the default intervals. */
  readonly first: RunCost;
  readonly poll: RunCost;
  readonly day: RunCost;
  /** The calls that `plan` expects, as a part of the measured ones. */
  readonly ratios: { readonly first: number; readonly day: number };
}

interface QuotaResult {
  readonly facebook: LoginCost;
  readonly instagram: LoginCost;
  /** The calls of Airbyte's connector by its formula: of the first sync, and of each later one. */
  readonly airbyte: { readonly first: number; readonly sync: number };
}

/** Returns the figures of the last line of the output, which are also put on record. */
export function quotaFigures({ facebook, instagram, airbyte }: QuotaResult) {
  const runs = [facebook, instagram].flatMap(({ first, poll, day }) => [first, poll, day]);
  return {
    facebook: figuresOf(facebook),
    instagram: figuresOf(instagram),
    airbyte,
    peak_rss_mb: Math.max(...runs.map(({ peakRssMb }) => peakRssMb)),
  };
}

function figuresOf({ first, poll, day, ratios }: LoginCost) {
  const costOf = ({ calls, requests, seconds }: RunCost) => ({ calls, requests, seconds });
  return {
    first: costOf(first),
    poll: costOf(poll),
    day: costOf(day),
    plan_ratio: { first: hundredths(ratios.first), day: hundredths(ratios.day) },
  };
}

const hundredths = (ratio: number): number => Math.round(ratio * 100) / 100;
