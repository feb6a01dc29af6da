import { SkipError, type ErrorCode } from '../../engine/errors.ts';
import { type Fields, pathsOf, refusedAfter } from '../model/fields.ts';
import type { Skipped } from '../../engine/source.ts';

/** Whether it is the account itself that is gone or hidden, or a limit in disguise: nothing was had. */
export function isAccounts(error: unknown): boolean {
  return (
    error instanceof SkipError && (error.code === 'graph.ambiguous' || error.code === 'graph.gone')
  );
}

/** What a refusal of an account's insights leaves out, and why. */
export interface LeftOut {
  readonly reason: ErrorCode;
  readonly subjects: readonly string[];
  /** Whether the API named them; otherwise there are too few people for all that was asked. */
  readonly named: boolean;
}

/**
 * Which of the metrics asked of an account a refusal leaves out.
 *
 * @throws the error itself where it does not say: then nothing is known of what was asked
 */
export function leftOut(error: unknown, asked: readonly string[]): LeftOut {
  if (!(error instanceof SkipError)) throw error;
  const { code: reason } = error;
  const named = asked.filter((metric) => error.subjects.includes(metric));
  if (named.length > 0 && !isAccounts(error)) return { reason, subjects: named, named: true };
  if (reason !== 'graph.not-enough-users') throw error;
  return { reason, subjects: asked, named: false };
}

/**
 * Asks, and asks again without each field that the API names as unknown or not permitted: one such
 * field fails the whole request, and the other fields are worth having.
 *
 * @param skipped - gets one entry a field left out, by its path
 * @param fields - those that are asked for, where some are within lists
 * @throws whatever `ask` throws otherwise; also a refusal that names nothing new
 */
export async function withoutRefusedFields<T>(
  skipped: Skipped[],
  ask: (refused: ReadonlySet<string>) => Promise<T>,
  fields: Fields = {},
): Promise<T> {
  const before: ReadonlySet<string> = new Set(
    skipped.filter(({ reason }) => reason === 'graph.field-refused').map(({ subject }) => subject),
  );
  for (let refused = before; ;) {
    try {
      const answer = await ask(refused);
      for (const subject of refused) {
        if (!before.has(subject)) skipped.push({ reason: 'graph.field-refused', subject });
      }
      return answer;
    } catch (error) {
      refused = newlyRefused(error, refused, fields);
    }
  }
}

/** @throws the error, where it names no field that is left to leave out */
function newlyRefused(
  error: unknown,
  refused: ReadonlySet<string>,
  fields: Fields,
): ReadonlySet<string> {
  if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') throw error;
  const after = error.subjects.reduce(
    (sofar, name) => refusedAfter(name, pathsOf(name, fields), sofar) ?? sofar,
    refused,
  );
  if (after === refused) throw error;
  return after;
}
