import { SkipError } from '../../core/errors.ts';
import type { Skipped } from '../extraction.ts';

/**
 * Asks, and asks again without each field that the API names as unknown or not permitted: one such
 * field fails the whole request, and the other fields are worth having.
 *
 * @param skipped - gets one entry a field left out
 * @throws whatever `ask` throws otherwise; also a refusal that names nothing new
 */
export async function withoutRefusedFields<T>(
  skipped: Skipped[],
  ask: (refused: ReadonlySet<string>) => Promise<T>,
): Promise<T> {
  const refused = new Set(
    skipped.filter(({ reason }) => reason === 'graph.field-refused').map(({ subject }) => subject),
  );
  for (;;) {
    try {
      return await ask(refused);
    } catch (error) {
      const fresh = newlyRefused(error, refused);
      if (fresh.length === 0) throw error;
      for (const field of fresh) {
        refused.add(field);
        skipped.push({ reason: 'graph.field-refused', subject: field });
      }
    }
  }
}

function newlyRefused(error: unknown, refused: ReadonlySet<string>): readonly string[] {
  if (!(error instanceof SkipError) || error.code !== 'graph.field-refused') return [];
  return error.subjects.filter((field) => !refused.has(field));
}
