import type { ErrorCode } from '../../engine/errors.ts';
import { parseGraphTime } from '../model/graph-time.ts';
import { allSubjects } from '../model/missing.ts';
import type { Node } from '../../engine/json.ts';
import { holds } from '../../engine/refusals.ts';
import type { Checkpoint, Refusal } from '../../engine/state.ts';

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
/** Less than the interval of stories, so that their next poll requests the media again. */
const tenMinutesMs = hourMs / 6;

/** Errors that usually pass, though they are a media's own while others are answered. */
const passingCodes: readonly ErrorCode[] = ['graph.server', 'graph.network', 'graph.timeout'];

export interface Listed {
  readonly id: string;
  /** Epoch milliseconds; null without a valid timestamp. */
  readonly createdMs: number | null;
  /** `FEED/IMAGE`: product and type, as far as the list has them. It determines the metrics. */
  readonly kind: string;
}

/** Reads a listed node; undefined for a node without a valid id. */
export function readListed(node: Node): Listed | undefined {
  const { id, timestamp, media_product_type: product, media_type: type } = node;
  if (typeof id !== 'string' || id === '') return undefined;
  return {
    id,
    createdMs: typeof timestamp === 'string' ? (parseGraphTime(timestamp) ?? null) : null,
    kind: [product, type].filter((part) => typeof part === 'string').join('/'),
  };
}

/** Returns the subject that names a child of an album in rejections. */
export function childOf(albumId: string, childId: string): string {
  return `${albumId}/${childId}`;
}

/**
 * The most rejections that are remembered; the latest are kept. More could make the state exceed
 * the record size of its topic (Invariant 10). A dropped rejection costs one call to find again.
 */
export const rememberedRejections = 5000;

/** The rejections of an account's media and metrics, indexed for one poll and kept for the next. */
export class Rejections {
  readonly #checkpoint: Checkpoint;
  readonly #nowMs: number;
  readonly #entries: Map<string, Refusal>;
  /** Names of expired rejections that a media of this poll has probed. */
  readonly #probed = new Set<string>();
  #convertedMs: number | null;
  #isChanged = false;

  constructor(checkpoint: Checkpoint, nowMs: number) {
    this.#checkpoint = checkpoint;
    this.#nowMs = nowMs;
    this.#entries = new Map(checkpoint.refusals.map((one) => [nameOf(one), one]));
    this.#convertedMs = checkpoint.convertedMs;
  }

  isExcluded({ id, createdMs }: Listed): boolean {
    const convertedMs = this.#convertedMs ?? -Infinity;
    return (createdMs !== null && createdMs <= convertedMs) || this.excludes(id);
  }

  /** True when a subject, as named by `childOf`, is excluded from requests now. */
  excludes(subject: string): boolean {
    const found = this.#entries.get(nameOf({ subject, metric: null }));
    return found !== undefined && holds(found, this.#nowMs);
  }

  /**
   * Returns the metrics to request for a media. A metric that was rejected for a whole kind a week
   * ago is requested again for one media per poll, as a retry probe.
   */
  metricsFor(metrics: readonly string[], { id, kind }: Listed): readonly string[] {
    return metrics.filter((metric) => {
      const names = [allSubjects, kind, id].map((subject) => nameOf({ subject, metric }));
      if (names.some((name) => this.#isRejected(name))) return false;
      for (const name of names) if (this.#entries.has(name)) this.#probed.add(name);
      return true;
    });
  }

  #isRejected(name: string): boolean {
    const found = this.#entries.get(name);
    return found !== undefined && (holds(found, this.#nowMs) || this.#probed.has(name));
  }

  /**
   * Excludes a media: for a quarter of its age, between an hour and `atMostMs`. A new media is thus
   * retried soon, and any media after an error that usually passes: a burst of them may hit each
   * try of a media while its neighbours are answered.
   */
  exclude(exclusion: { listed: Listed; reason: ErrorCode; atMostMs?: number }): void {
    const { listed, reason, atMostMs = weekMs } = exclusion;
    const { id, createdMs, kind } = listed;
    const ageMs = createdMs === null ? weekMs : this.#nowMs - createdMs;
    const usualMs = Math.max(hourMs, Math.round(ageMs / 4));
    const passingMs = kind.startsWith('STORY') ? tenMinutesMs : hourMs;
    const forMs = Math.min(passingCodes.includes(reason) ? passingMs : usualMs, atMostMs);
    this.#set({ subject: id, metric: null, reason, untilMs: this.#nowMs + forMs });
  }

  /** Excludes media up to this time, epoch milliseconds: they predate the business account. */
  convertedAt(createdMs: number): void {
    this.#convertedMs = Math.max(this.#convertedMs ?? createdMs, createdMs);
  }

  /** Excludes a metric of a subject for a week. */
  reject(rejected: Pick<Refusal, 'subject' | 'reason'> & { readonly metric: string }): void {
    this.#set({ ...rejected, untilMs: this.#nowMs + weekMs });
  }

  #set(refusal: Refusal): void {
    const name = nameOf(refusal);
    this.#entries.delete(name);
    this.#entries.set(name, refusal);
    this.#isChanged = true;
  }

  /** Forgets the rejection of a subject's metric, or of the subject for null, once it is answered. */
  forget(subject: string, metric: string | null): void {
    const name = nameOf({ subject, metric });
    this.#probed.delete(name);
    this.#isChanged = this.#entries.delete(name) || this.#isChanged;
  }

  /** The rejections to keep in the state. */
  get learned(): Pick<Checkpoint, 'refusals' | 'convertedMs'> {
    const refusals = this.#isChanged
      ? [...this.#entries.values()].slice(-rememberedRejections)
      : this.#checkpoint.refusals;
    return { refusals, convertedMs: this.#convertedMs };
  }
}

function nameOf({ subject, metric }: Pick<Refusal, 'subject' | 'metric'>): string {
  return metric === null ? subject : `${subject} ${metric}`;
}
