import type { ErrorCode } from './errors.ts';
import { parseGraphTime } from './graph-time.ts';
import type { Node } from './json.ts';
import type { Memory, Refusal } from './state.ts';

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;

/** Stands for every subject: a metric that left the API's list is rejected for all. */
export const everything = '*';

/** A listed media as far as rejections are about it. */
export interface Listed {
  readonly id: string;
  /** Epoch milliseconds; null where the list does not say. */
  readonly createdMs: number | null;
  /** `FEED/IMAGE`, product and type as far as the list says them: what decides on metrics. */
  readonly kind: string;
}

/** Reads a listed node; undefined for one whose id is none. */
export function readListed(node: Node): Listed | undefined {
  const { id, timestamp, media_product_type: product, media_type: type } = node;
  if (typeof id !== 'string' || id === '') return undefined;
  return {
    id,
    createdMs: typeof timestamp === 'string' ? (parseGraphTime(timestamp) ?? null) : null,
    kind: [product, type].filter((part) => typeof part === 'string').join('/'),
  };
}

/** A child of an album, as far as rejections are about it. */
export function childOf(albumId: string, childId: string): string {
  return `${albumId}/${childId}`;
}

/** An object that is not requested for a while, and why. */
export interface Exclusion {
  readonly listed: Listed;
  readonly reason: ErrorCode;
  /** It is requested again after this time at the latest, milliseconds; a week by default. */
  readonly atMostMs?: number;
}

/**
 * What the API rejects of an account's media, indexed for one poll and kept for the next. Every
 * question costs the same, however much is remembered.
 */
export interface Rejections {
  /** Whether nothing of a media is to be requested now. */
  isExcluded(listed: Listed): boolean;
  /** The same by subject, as `childOf` names it. */
  excludes(subject: string): boolean;
  /**
   * The metrics to be requested of a media. A metric that was rejected for a whole kind a week ago is
   * requested again of one media in a poll, to find out.
   */
  metricsFor(metrics: readonly string[], listed: Listed): readonly string[];
  /**
   * Remembers that nothing of a media is answered: for a quarter of its age, an hour at least, so
   * that what may pass is found out soon where it matters.
   */
  exclude(exclusion: Exclusion): void;
  /** Remembers that media up to this time have no insights: they precede the business account. */
  convertedAt(createdMs: number): void;
  /** Remembers for a week that a subject does not have a metric. */
  reject(rejected: Pick<Refusal, 'subject' | 'reason'> & { readonly metric: string }): void;
  /** Forgets what was remembered of a subject's metric, or of the subject, because it was answered. */
  forget(subject: string, metric: string | null): void;
  /** What is to be remembered now. */
  readonly learned: Pick<Memory, 'refusals' | 'convertedMs'>;
}

/**
 * So many are remembered, the latest: above that a state would outgrow its topic. What is dropped is
 * learned again, at one call each.
 */
export const rememberedRejections = 5000;

/** Begins with what the state remembers. */
export function createRejections(memory: Memory, nowMs: number): Rejections {
  return new IndexedRejections(memory, nowMs);
}

class IndexedRejections implements Rejections {
  readonly #memory: Memory;
  readonly #nowMs: number;
  readonly #entries: Map<string, Refusal>;
  /** Names of rejections that are over and that one media of this poll has tried. */
  readonly #probed = new Set<string>();
  #convertedMs: number | null;
  #isChanged = false;

  constructor(memory: Memory, nowMs: number) {
    this.#memory = memory;
    this.#nowMs = nowMs;
    this.#entries = new Map(memory.refusals.map((one) => [nameOf(one), one]));
    this.#convertedMs = memory.convertedMs;
  }

  isExcluded({ id, createdMs }: Listed): boolean {
    const convertedMs = this.#convertedMs ?? -Infinity;
    return (createdMs !== null && createdMs <= convertedMs) || this.excludes(id);
  }

  excludes(subject: string): boolean {
    const found = this.#entries.get(nameOf({ subject, metric: null }));
    return found !== undefined && holds(found, this.#nowMs);
  }

  metricsFor(metrics: readonly string[], { id, kind }: Listed): readonly string[] {
    return metrics.filter((metric) => {
      const names = [everything, kind, id].map((subject) => nameOf({ subject, metric }));
      if (names.some((name) => this.#isRejected(name))) return false;
      for (const name of names) if (this.#entries.has(name)) this.#probed.add(name);
      return true;
    });
  }

  #isRejected(name: string): boolean {
    const found = this.#entries.get(name);
    return found !== undefined && (holds(found, this.#nowMs) || this.#probed.has(name));
  }

  exclude({ listed: { id, createdMs }, reason, atMostMs = weekMs }: Exclusion): void {
    const ageMs = createdMs === null ? weekMs : this.#nowMs - createdMs;
    const forMs = Math.min(Math.max(hourMs, ageMs / 4), atMostMs);
    this.#set({ subject: id, metric: null, reason, untilMs: this.#nowMs + forMs });
  }

  convertedAt(createdMs: number): void {
    this.#convertedMs = Math.max(this.#convertedMs ?? createdMs, createdMs);
  }

  reject(rejected: Pick<Refusal, 'subject' | 'reason'> & { readonly metric: string }): void {
    this.#set({ ...rejected, untilMs: this.#nowMs + weekMs });
  }

  #set(refusal: Refusal): void {
    const name = nameOf(refusal);
    this.#entries.delete(name);
    this.#entries.set(name, refusal);
    this.#isChanged = true;
  }

  forget(subject: string, metric: string | null): void {
    const name = nameOf({ subject, metric });
    this.#probed.delete(name);
    this.#isChanged = this.#entries.delete(name) || this.#isChanged;
  }

  get learned(): Pick<Memory, 'refusals' | 'convertedMs'> {
    const refusals = this.#isChanged
      ? [...this.#entries.values()].slice(-rememberedRejections)
      : this.#memory.refusals;
    return { refusals, convertedMs: this.#convertedMs };
  }
}

function nameOf({ subject, metric }: Pick<Refusal, 'subject' | 'metric'>): string {
  return metric === null ? subject : `${subject} ${metric}`;
}

/**
 * Whether a subject or metric is still rejected. No rejection lasts longer than a week: one that
 * seems to was noted by a clock that has been set back since.
 */
export function holds({ untilMs }: Refusal, nowMs: number): boolean {
  return untilMs === null || (nowMs < untilMs && untilMs <= nowMs + weekMs);
}

/** Remembers for a week that a subject does not have a metric: it comes back without a release. */
export function leaveOutMetric(
  memory: Memory,
  refusal: { subject: string; metric: string; reason: ErrorCode },
  nowMs: number,
): Memory {
  const others = memory.refusals.filter(
    ({ subject, metric }) => subject !== refusal.subject || metric !== refusal.metric,
  );
  return { ...memory, refusals: [...others, { ...refusal, untilMs: nowMs + weekMs }] };
}

/** Forgets rejections that ended long ago, and those of media that are gone. */
export function tidyRefusals(
  refusals: readonly Refusal[],
  { nowMs, present }: { nowMs: number; present: ReadonlySet<string> | undefined },
): readonly Refusal[] {
  return refusals.filter(({ subject, untilMs, missingFromMs }) => {
    const media = /^(\d+)(?:\/\d+)?$/.exec(subject)?.[1];
    if (media !== undefined && present?.has(media) === false) return false;
    return untilMs === null || missingFromMs !== undefined || nowMs < untilMs + weekMs;
  });
}
