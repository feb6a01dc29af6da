import { namesOf } from '../model/daily-totals.ts';
import type { Fields } from '../model/fields.ts';
import type { InstagramStream, StreamRequest } from '../streams/stream.ts';
import { cachedFields } from './list.ts';

/** The fields of answers that extraction reads itself. */
const neededFields = new Set([...cachedFields, 'media_count']);

/**
 * Returns a stream that does not request excluded fields, except those that extraction needs.
 * Metrics are requested all the same, but for breakdowns, each of which has a request of its own.
 * @param paths - such as `caption` or `children.media_url`
 */
export function withoutExcluded(
  stream: InstagramStream,
  paths: readonly string[],
): InstagramStream {
  return paths.length === 0 ? stream : { ...stream, request: reduced(stream.request, paths) };
}

function reduced(request: StreamRequest, paths: readonly string[]): StreamRequest {
  if (request.kind === 'totals') {
    const isKept = (one: (typeof request.requests)[number]): boolean =>
      !namesOf(one).every((name) => paths.includes(name));
    return { ...request, requests: request.requests.filter(isKept) };
  }
  if (!('fields' in request)) return request;
  const excluded = paths.filter((path) => !neededFields.has(path));
  return { ...request, fields: without(request.fields, excluded) };
}

/**
 * Returns a stream that requests these metrics too.
 * @param extra - fields of its opt-in metrics
 */
export function withExtra(stream: InstagramStream, extra: readonly string[]): InstagramStream {
  const { request } = stream;
  if (extra.length === 0 || request.kind !== 'insights') return stream;
  const separate = Object.entries(request.separate).map(
    ([field, metric]) =>
      [field, extra.includes(field) ? { ...metric, isOptIn: false } : metric] as const,
  );
  return { ...stream, request: { ...request, separate: Object.fromEntries(separate) } };
}

function without(fields: Fields, paths: readonly string[]): Fields {
  const kept = Object.entries(fields).filter(([name]) => !paths.includes(name));
  return Object.fromEntries(
    kept.map(([name, declared]) => {
      const { field } = declared;
      // The fields of a single object cannot be requested apart.
      if (field.kind !== 'list') return [name, declared];
      const prefix = `${name}.`;
      const below = paths.filter((path) => path.startsWith(prefix));
      const inner = without(
        field.fields,
        below.map((path) => path.slice(prefix.length)),
      );
      return [name, { ...declared, field: { ...field, fields: inner } }];
    }),
  );
}
