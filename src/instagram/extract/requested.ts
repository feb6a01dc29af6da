import type { Fields } from '../model/fields.ts';
import type { InstagramStream } from '../streams/stream.ts';
import { cachedFields } from './list.ts';

/** The fields of answers that extraction reads itself. */
const neededFields = new Set([...cachedFields, 'media_count']);

/**
 * Returns a stream that does not request excluded fields, except those that extraction needs.
 * Metrics are requested all the same.
 * @param paths - such as `caption` or `children.media_url`
 */
export function withoutExcluded(stream: InstagramStream, paths: readonly string[]) {
  const { request } = stream;
  if (paths.length === 0 || !('fields' in request)) return stream;
  const excluded = paths.filter((path) => !neededFields.has(path));
  return { ...stream, request: { ...request, fields: without(request.fields, excluded) } };
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
