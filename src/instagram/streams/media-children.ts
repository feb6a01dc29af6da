import { id, long, required } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { listFields } from './media-insights.ts';
import { mediaFields } from './media.ts';
import { declareStream } from './stream.ts';

/** The children of `media`, requested as there, as rows: sinks into a database take no list of records. */
export const mediaChildren = declareStream({
  name: 'media_children',
  interval: '6h',
  publish: 'changes',
  priority: 'backfill',
  isCompacted: true,
  doc: 'Pictures and videos of albums, one record each, for sinks that need rows.',
  eventTime: 'timestamp',
  key: ['id'],
  request: { kind: 'children', listFields, fields: mediaFields },
  // The extractor sets the album and the place from the child's place in the answer.
  toRecord: recordOf({ ...mediaFields, media_id: required(id), position: required(long) }),
});
