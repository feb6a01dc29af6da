import {
  type ClassifiedError,
  type ErrorCode,
  FailError,
  SkipError,
  type Skipped,
} from '../../engine/errors.ts';
import { parseGraphTime } from '../model/graph-time.ts';
import { allSubjects } from '../model/missing.ts';
import type { Node } from '../../engine/json.ts';
import { holds } from '../../engine/rejections.ts';
import type { Checkpoint, Rejection } from '../../engine/state.ts';

const hourMs = 3_600_000;
const weekMs = 7 * 24 * hourMs;
/** Less than the interval of stories, so that their next poll requests the media again. */
const tenMinutesMs = hourMs / 6;

/** Transient errors, which are attributed to a media all the same while others are answered. */
const transientCodes: readonly ErrorCode[] = ['graph.server', 'graph.network', 'graph.timeout'];

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
  readonly #entries: Map<string, Rejection>;
  /** Names of expired rejections that a media of this poll has probed. */
  readonly #probed = new Set<string>();
  #convertedMs: number | null;
  #isChanged = false;

  constructor(checkpoint: Checkpoint, nowMs: number) {
    this.#checkpoint = checkpoint;
    this.#nowMs = nowMs;
    this.#entries = new Map(checkpoint.rejections.map((one) => [nameOf(one), one]));
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
   * retried soon, and any media after a transient error: a burst of them may hit each
   * try of a media while its neighbours are answered.
   */
  exclude(exclusion: { listed: Listed; reason: ErrorCode; atMostMs?: number }): void {
    const { listed, reason, atMostMs = weekMs } = exclusion;
    const { id, createdMs, kind } = listed;
    const ageMs = createdMs === null ? weekMs : this.#nowMs - createdMs;
    const usualMs = Math.max(hourMs, Math.round(ageMs / 4));
    const transientMs = kind.startsWith('STORY') ? tenMinutesMs : hourMs;
    const forMs = Math.min(transientCodes.includes(reason) ? transientMs : usualMs, atMostMs);
    this.#set({ subject: id, metric: null, reason, untilMs: this.#nowMs + forMs });
  }

  /** Excludes media up to this time, epoch milliseconds: they predate the business account. */
  convertedAt(createdMs: number): void {
    this.#convertedMs = Math.max(this.#convertedMs ?? createdMs, createdMs);
  }

  /** Excludes a metric of a subject for a week. */
  reject(rejected: Pick<Rejection, 'subject' | 'reason'> & { readonly metric: string }): void {
    this.#set({ ...rejected, untilMs: this.#nowMs + weekMs });
  }

  #set(rejection: Rejection): void {
    const name = nameOf(rejection);
    this.#entries.delete(name);
    this.#entries.set(name, rejection);
    this.#isChanged = true;
  }

  /** Forgets the rejection of a subject's metric, or of the subject for null, once it is answered. */
  forget(subject: string, metric: string | null): void {
    const name = nameOf({ subject, metric });
    this.#probed.delete(name);
    this.#isChanged = this.#entries.delete(name) || this.#isChanged;
  }

  /** The rejections to keep in the state. */
  get checkpointUpdate(): Pick<Checkpoint, 'rejections' | 'convertedMs'> {
    const rejections = this.#isChanged
      ? [...this.#entries.values()].slice(-rememberedRejections)
      : this.#checkpoint.rejections;
    return { rejections, convertedMs: this.#convertedMs };
  }
}

function nameOf({ subject, metric }: Pick<Rejection, 'subject' | 'metric'>): string {
  return metric === null ? subject : `${subject} ${metric}`;
}

export interface FailedObject {
  readonly listed: Listed;
  readonly error: ClassifiedError;
}

/** The evidence that separates an object's own error from one that is common to all objects. */
interface Evidence<T> {
  /** True when one of the objects requested together was answered. */
  readonly isAnswered: boolean;
  /** Other objects of the list, to draw a control sample from when no object was answered. */
  readonly controls: readonly T[];
  /** Requests a control sample; true when one of its objects is answered. */
  readonly areAnswered: (controls: readonly T[]) => Promise<boolean>;
}

const controlSample = 3;

/**
 * Finds the culprits: objects that fail while other objects are answered. When every requested
 * object and the control sample fail, the error is attributed to no object.
 * @throws the first error when no object is answered; a SkipError becomes a FailError
 */
export async function attribute<T>(
  failed: readonly FailedObject[],
  { isAnswered, controls, areAnswered }: Evidence<T>,
): Promise<readonly FailedObject[]> {
  const [first] = failed;
  if (first === undefined || isAnswered) return failed;
  const sample = spread(controls, controlSample);
  if (sample.length > 0 && (await areAnswered(sample))) return failed;
  throw commonError(first.error);
}

/** Excludes the culprits for a while, a week or `atMostMs` at most. @throws as `attribute` */
export async function excludeCulprits<T>(
  failed: readonly FailedObject[],
  poll: { rejections: Rejections; skipped: Skipped[]; atMostMs?: number },
  evidence: Evidence<T>,
): Promise<void> {
  const atMost = poll.atMostMs === undefined ? {} : { atMostMs: poll.atMostMs };
  for (const { listed, error } of await attribute(failed, evidence)) {
    poll.rejections.exclude({ listed, reason: error.code, ...atMost });
    poll.skipped.push({ reason: error.code, subject: listed.id });
  }
}

/** Returns the error that fails the poll when all objects have it; no object is excluded. */
function commonError(error: ClassifiedError): ClassifiedError {
  if (!(error instanceof SkipError)) return error;
  const message = `none of the account's objects that were requested is answered, so none is left out. The first: ${error.message}`;
  return new FailError(error.code, message, { cause: error });
}

/** Samples a list: its first entry, its last, and entries spread evenly between. */
function spread<T>(list: readonly T[], count: number): readonly T[] {
  if (list.length <= count) return list;
  const step = (list.length - 1) / (count - 1);
  return list.filter((_, index) => Math.round(Math.round(index / step) * step) === index);
}
