import { graphError } from './errors.ts';

/**
 * Parses `since` or `until`: unix seconds, `YYYY-MM-DD` (00:00 UTC) or an ISO time. A `+` that the
 * query turned into a space is restored. Undefined when the parameter is absent.
 */
export function parseTime(
  parameters: ReadonlyMap<string, string>,
  name: 'since' | 'until',
): number | undefined {
  const text = parameters.get(name);
  if (text === undefined || text === '') {
    return undefined;
  }
  if (/^\d+$/.test(text)) {
    return Number(text) * 1000;
  }
  const atMs = Date.parse(text.trim().replace(/ (?=\d\d:?\d\d$)/, '+'));
  if (Number.isNaN(atMs)) {
    throw graphError('not-a-time', name);
  }
  return atMs;
}
