import { parseDuration } from '../config/formats.ts';
import { StopProcessError } from '../core/errors.ts';
import { parseGraphTime } from '../core/graph-time.ts';
import type { TailStart } from '../kafka/open.ts';
import { refuse } from './option-values.ts';
import type { Options } from './own-options.ts';

/**
 * Where `tail` begins: at the end, unless one option says otherwise.
 *
 * @throws StopProcessError `config.invalid`
 */
export function parseStart(options: Options, nowMs: number): TailStart {
  const { fromBeginning, fromOffset, since } = options;
  const given = [fromBeginning, fromOffset, since].filter((value) => value !== undefined);
  if (given.length > 1) {
    throw new StopProcessError(
      'config.invalid',
      'tail: expected one of --from-beginning, --from-offset and --since',
      { exitCode: 2 },
    );
  }
  if (fromBeginning === true) return { kind: 'beginning' };
  if (fromOffset !== undefined) return { kind: 'offset', offset: parseOffset(fromOffset) };
  if (since !== undefined) return { kind: 'since', ms: parseSince(since, nowMs) };
  return { kind: 'end' };
}

function parseOffset(value: Options[string]): bigint {
  return typeof value === 'string' && /^-?\d{1,18}$/.test(value)
    ? BigInt(value)
    : refuse('--from-offset', 'a whole number, such as 1200, or -10 for ten before the end', value);
}

function parseSince(value: Options[string], nowMs: number): number {
  const text = typeof value === 'string' ? value : '';
  const durationMs = parseDuration(text);
  if (durationMs !== undefined) return Math.max(0, nowMs - durationMs);
  const ms = parseGraphTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text);
  return (
    ms ??
    refuse(
      '--since',
      'how long ago, such as 2h, a day such as 2026-11-01 or a time such as 2026-11-01T07:00:00Z',
      value,
    )
  );
}
