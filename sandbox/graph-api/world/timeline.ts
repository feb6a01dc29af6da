import type { Media } from './model.ts';
import { DAY_MS } from './pacific.ts';

/** Media in the order of time; future ones are created when the clock reaches them. */
export interface Timeline {
  /** Returns everything created at or before `nowMs`, newest first. */
  until(nowMs: number): readonly Media[];
}

/** The parameters of a timeline. */
export interface TimelineOptions {
  readonly startMs: number;
  /** Media that exist at the start, in any order. */
  readonly initial: readonly Media[];
  /** New media a day after the start; 0 for none. */
  readonly perDay: number;
  /** Position of the `index`th new media within its slot of time, in [0, 1). */
  readonly jitter: (index: number) => number;
  readonly create: (index: number, createdAtMs: number) => Media;
  /** Called once for every created media. */
  readonly onCreate: (media: Media) => void;
}

/** Creates a timeline; the same options create the same media, independent of the clock's steps. */
export function createTimeline(options: TimelineOptions): Timeline {
  const oldestFirst = [...options.initial].sort((a, b) => a.createdAtMs - b.createdAtMs);
  oldestFirst.forEach(options.onCreate);
  const slotMs = options.perDay > 0 ? DAY_MS / options.perDay : Number.POSITIVE_INFINITY;
  let made = 0;
  let shown: readonly Media[] = [];
  const makeUntil = (nowMs: number): void => {
    for (;;) {
      const createdAtMs =
        options.startMs + Math.round((made + 0.05 + 0.9 * options.jitter(made)) * slotMs);
      if (!(createdAtMs <= nowMs)) {
        return;
      }
      const media = options.create(made, createdAtMs);
      options.onCreate(media);
      oldestFirst.push(media);
      made += 1;
    }
  };
  return {
    until: (nowMs) => {
      makeUntil(nowMs);
      let count = oldestFirst.length;
      while (count > 0 && (oldestFirst[count - 1]?.createdAtMs ?? 0) > nowMs) {
        count -= 1;
      }
      if (shown.length !== count) {
        shown = oldestFirst.slice(0, count).reverse();
      }
      return shown;
    },
  };
}
