import type { ErrorCode } from './errors.ts';
import { spreadOf } from './fingerprint.ts';
import { isoSeconds, parseGraphTime } from './graph-time.ts';
import type { Node } from './json.ts';
import type { Memory, Refusal } from './state.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;

/** Stands for every subject: a metric that left the API's list is refused for all. */
export const everything = '*';

/** A media as far as refusals are about it. */
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

/** Whether nothing of a media is to be asked now. */
export function isLeftOut(listed: Listed, memory: Memory, nowMs: number): boolean {
  const { convertedMs, refusals } = memory;
  if (convertedMs !== null && listed.createdMs !== null && listed.createdMs <= convertedMs) {
    return true;
  }
  return refusals.some(
    (refusal) => refusal.metric === null && refusal.subject === listed.id && holds(refusal, nowMs),
  );
}

/** The metrics that may be asked now of every one of these subjects. */
export function metricsFor(
  metrics: readonly string[],
  subjects: readonly string[],
  { memory, nowMs }: { memory: Memory; nowMs: number },
): readonly string[] {
  return metrics.filter(
    (metric) =>
      !memory.refusals.some(
        (refusal) =>
          refusal.metric === metric &&
          (refusal.subject === everything || subjects.includes(refusal.subject)) &&
          holds(refusal, nowMs),
      ),
  );
}

/** A child of an album, as far as refusals are about it. */
export function childOf(albumId: string, childId: string): string {
  return `${albumId}/${childId}`;
}

/** The media of a kind that are as old as a date or older. */
export function olderOf(kind: string, createdMs: number): string {
  return `${kind}<=${isoSeconds(createdMs)}`;
}

/** Whom a refusal of a metric may be about where it holds for this media. */
export function subjectsOf(
  listed: Listed,
  { refusals }: Pick<Memory, 'refusals'>,
): readonly string[] {
  const older = refusals.map(({ subject }) => subject).filter((one) => isAmongOlder(one, listed));
  return [everything, listed.kind, ...new Set(older), listed.id];
}

function isAmongOlder(subject: string, { kind, createdMs }: Listed): boolean {
  const prefix = `${kind}<=`;
  if (createdMs === null || !subject.startsWith(prefix)) return false;
  return createdMs <= (parseGraphTime(subject.slice(prefix.length)) ?? -Infinity);
}

/** Reasons that may have been the server's or the token's trouble as well as the media's own. */
const doubtful: readonly ErrorCode[] = ['graph.server', 'graph.permission'];

/** Whether a media was left out for such a reason and has not been answered since. */
export function isDoubtful({ id }: Listed, { refusals }: Memory): boolean {
  return refusals.some(
    ({ subject, metric, reason }) => subject === id && metric === null && doubtful.includes(reason),
  );
}

/** Forgets such reasons of media that are answered. */
export function withoutDoubt(memory: Memory, answered: readonly Listed[]): Memory {
  if (!answered.some((one) => isDoubtful(one, memory))) return memory;
  const ids = new Set(answered.map(({ id }) => id));
  const refusals = memory.refusals.filter(
    ({ subject, metric, reason }) =>
      metric !== null || !ids.has(subject) || !doubtful.includes(reason),
  );
  return { ...memory, refusals };
}

/**
 * By what the turn of a media is told: its own id, so that all are spread evenly, but one for all
 * that refuse a metric, which are asked apart and so best together.
 */
export function turnOf({ id }: Listed, { refusals }: Memory): string {
  const refuses = refusals.some(({ subject, metric }) => subject === id && metric !== null);
  return refuses ? 'refusing' : id;
}

/** A metric that is to be tried again of a kind of media; one media tells for all. */
export interface Trial {
  /** The media to be asked. */
  readonly listed: Listed;
  readonly metric: string;
  /** Whose refusal of it is over: media, or the kind. */
  readonly subjects: readonly string[];
}

/** What is to be tried again among these media; another one of a kind is drawn each time. */
export function trialsOf(
  due: readonly Listed[],
  { refusals }: Memory,
  nowMs: number,
): readonly Trial[] {
  const over = refusals.filter((one) => !holds(one, nowMs));
  const trials = new Map<string, Trial & { readonly draw: number }>();
  const found = due.flatMap((listed) => {
    const subjects = subjectsOf(listed, { refusals: over }).filter((one) => one !== everything);
    return over.flatMap(({ subject, metric }) =>
      metric !== null && subjects.includes(subject) ? [{ listed, subject, metric }] : [],
    );
  });
  for (const { listed, subject, metric } of found) {
    const name = `${listed.kind} ${metric}`;
    const known = trials.get(name);
    const one = { listed, metric, draw: spreadOf(`${listed.id} ${nowMs}`, 2 ** 32) };
    const drawn = known !== undefined && known.draw <= one.draw ? known : one;
    const subjects = [...new Set([...(known?.subjects ?? []), subject])];
    trials.set(name, { ...drawn, subjects });
  }
  return [...trials.values()].map(({ listed, metric, subjects }) => ({ listed, metric, subjects }));
}

/** After a trial: what is refused still is so for another week, what is answered is asked of all. */
export function afterTrial(
  memory: Memory,
  { trial: { metric, subjects }, answered }: { trial: Trial; answered: boolean },
  nowMs: number,
): Memory {
  const isTried = (one: Refusal) => one.metric === metric && subjects.includes(one.subject);
  const refusals = memory.refusals.flatMap((one) => {
    if (!isTried(one)) return [one];
    return answered ? [] : [{ ...one, untilMs: nowMs + weekMs }];
  });
  return { ...memory, refusals };
}

/**
 * Whether a subject or metric is still refused. No refusal lasts longer than a week: one that seems to
 * was noted by a clock that has been set back since.
 */
export function holds({ untilMs }: Refusal, nowMs: number): boolean {
  return untilMs === null || (nowMs < untilMs && untilMs <= nowMs + weekMs);
}

/**
 * Remembers that the API answers nothing of a media, for as long as the reason stands. A media from
 * before the conversion to a business account tells of all older ones as well.
 */
export function leaveOut(
  memory: Memory,
  { listed, reason }: { listed: Listed; reason: ErrorCode },
  nowMs: number,
): Memory {
  const { id, createdMs } = listed;
  if (reason === 'graph.media-before-conversion' && createdMs !== null) {
    return { ...memory, convertedMs: Math.max(memory.convertedMs ?? createdMs, createdMs) };
  }
  const known = memory.refusals.find((one) => one.metric === null && one.subject === id);
  const untilMs = untilOf(reason, known?.reason === reason, nowMs);
  return withRefusal(memory, { subject: id, metric: null, reason, untilMs });
}

function untilOf(reason: ErrorCode, again: boolean, nowMs: number): number | null {
  if (reason === 'graph.media-before-conversion') return null;
  return nowMs + (again ? (laterMs[reason] ?? weekMs) : (firstMs[reason] ?? weekMs));
}

/** What may pass is asked once more soon: it may be gone, hidden, a limit in disguise, or trouble of others. */
const firstMs: Readonly<Partial<Record<ErrorCode, number>>> = {
  'graph.not-enough-viewers': hourMs,
  'graph.ambiguous': hourMs,
  'graph.server': hourMs,
  'graph.permission': dayMs,
};
/** When it was so the last time as well. */
const laterMs: typeof firstMs = { 'graph.not-enough-viewers': hourMs, 'graph.server': dayMs };

/** Remembers for a week that a subject does not have a metric: it comes back without a release. */
export function leaveOutMetric(
  memory: Memory,
  refusal: { subject: string; metric: string; reason: ErrorCode },
  nowMs: number,
): Memory {
  return withRefusal(memory, { ...refusal, untilMs: nowMs + weekMs });
}

function withRefusal(memory: Memory, refusal: Refusal): Memory {
  const others = memory.refusals.filter(
    ({ subject, metric }) => subject !== refusal.subject || metric !== refusal.metric,
  );
  return { ...memory, refusals: [...others, refusal] };
}

/** Forgets refusals that ended long ago, and those of media that are gone. */
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
