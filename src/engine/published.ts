/** Fingerprints by key number (`keyNumber`). */
export type Published = ReadonlyMap<string, bigint>;
