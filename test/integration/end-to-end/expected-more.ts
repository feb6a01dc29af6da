/**
 * What must be in the topics of the streams that are off by default, derived from what the simulated
 * world holds; shares no code with the program.
 */
type Fields = Readonly<Record<string, unknown>>;

/** An account as far as these streams are about it. */
export interface TrueAccount {
  readonly id: string;
  readonly page_id: string;
  /** Metric, breakdown, people by value; null or absent where there are too few. */
  readonly audiences: Readonly<
    Record<string, Readonly<Record<string, Readonly<Record<string, number>> | null>>>
  >;
}

type Entries = readonly (readonly [key: string, value: Fields])[];

function originOf({ id, page_id }: TrueAccount) {
  return { business_account_id: id, page_id };
}

/** Records of an audience by key. */
export function expectedAudience(account: TrueAccount, metric: string): Entries {
  return ['city', 'country', 'age,gender'].flatMap((breakdown) => {
    const value = account.audiences[metric]?.[breakdown] ?? null;
    const record = { ...originOf(account), metric, breakdown, timeframe: 'this_month', value };
    return value === null ? [] : [[`${account.id}/${breakdown}`, record] as const];
  });
}
