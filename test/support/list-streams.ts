import { streams } from '../../src/instagram/streams/index.ts';
import type { InstagramStream } from '../../src/instagram/streams/stream.ts';

/** The stream that publishes the list at a path such as `/17841400000000001/media`. */
export function listStreamOf(path: string): InstagramStream | undefined {
  const [, , edge, ...more] = path.split('/');
  const isEdge = edge !== undefined && more.length === 0;
  return Object.values(streams).find(
    ({ list, publishesList }) => isEdge && publishesList && list === edge,
  );
}
