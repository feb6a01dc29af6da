import { type Fields, long, text } from '../model/fields.ts';
import { recordOf } from '../model/decode.ts';
import { declareStream } from './stream.ts';
import { mediaFields } from './media.ts';

const fields: Fields = {
  ...mediaFields,
  caption: text,
  like_count: long,
  media_product_type: text,
};

export const stories = declareStream({
  name: 'stories',
  isDefault: true,
  interval: '15m',
  publish: 'changes',
  priority: 'urgent',
  doc: 'Live stories, listed by the API for 24 hours.',
  eventTime: 'timestamp',
  key: ['id'],
  request: { kind: 'list', edge: 'stories', fields },
  toRecord: recordOf(fields),
});
