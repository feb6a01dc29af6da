import type { Json } from './api.ts';

/** A difference that is meant, and how the one value follows from the other. */
export interface Difference {
  /** `<stream>.<field>`; a list's entries as `[]`, all streams as `*`. */
  readonly field: string;
  readonly theirs: string;
  readonly ours: string;
  readonly reason: string;
  /** Whether this is the difference that is meant; absent values are null. */
  readonly holds: (theirs: Json, ours: Json) => boolean;
}

const isInstant = (theirs: Json, ours: Json) =>
  typeof theirs === 'string' && Date.parse(theirs.replace('+0000', '+00:00')) === ours;
const isOursAlone = (theirs: Json, ours: Json) => theirs === null && ours !== null;
const isTheirsAlone = (theirs: Json, ours: Json) => theirs !== null && ours === null;

/** A field that the connector does not have, or asks for where it need not be asked for alone. */
function alone(field: string, ours: string, reason: string): Difference {
  return { field, theirs: '(none)', ours, reason, holds: isOursAlone };
}

function instant(field: string, theirs: string, reason: string): Difference {
  return { field, theirs, ours: '`timestamp-millis`', reason, holds: isInstant };
}

const offset = 'text, `2026-05-12T05:26:06+00:00`';
const typed = "a type of Avro's, which every consumer reads without parsing";
const metric2 =
  'the connector requests different metrics of each kind of media; the API has it for this kind too';
const newer = 'requested because the API has it; the connector does not request it';
const helper = "the connector's own note for its next request; the same facts stand in the record";

/** The fields that only the last record of a story has; no story of the comparison has ended. */
export const lastRecordOnly: readonly Difference[] = [
  ['final_source', '`poll` or `webhook` in the last record', 'where the final values come from'],
  [
    'not_final_reason',
    'the reason in a last record that is not final',
    'why there are no final values',
  ],
  ['measured_at', 'a time in the last record', 'when its values were measured'],
].map(([name = '', ours = '', reason = '']) => alone(`story_insights.${name}`, ours, reason));

/** Everything in which the records differ; `docs/airbyte.md` has them as a table. */
export const differences: readonly Difference[] = [
  alone('*.polled_at', 'when it was requested', 'values of different moments can be told apart'),
  alone('users.business_account_id', "the account's id", 'the same field in every stream'),
  {
    field: 'users.ig_id',
    theirs: 'number',
    ours: 'text',
    reason: 'an id is never counted with, and may grow beyond 2^53',
    holds: (theirs, ours) => typeof theirs === 'number' && String(theirs) === ours,
  },
  instant('user_insights.date', offset, typed),
  instant('media.timestamp', offset, typed),
  instant('media.children[].timestamp', offset, typed),
  instant('stories.timestamp', offset, typed),
  instant('media_insights.timestamp', 'text as it came, `…+0000`', typed),
  {
    field: 'media.media_insights_info',
    theirs: 'object',
    ours: '(none)',
    reason: helper,
    holds: isTheirsAlone,
  },
  {
    field: 'stories.story_insights_info',
    theirs: 'object',
    ours: '(none)',
    reason: helper,
    holds: isTheirsAlone,
  },
  ...['alt_text', 'reposts_count', 'saved_count', 'shares_count', 'total_like_count']
    .concat('total_comments_count', 'total_views_count', 'media_audio_type', 'is_ai_generated')
    .concat('is_shared_to_feed', 'legacy_instagram_media_id')
    .map((name) => alone(`media.${name}`, 'value', newer)),
  ...['has_profile_pic', 'is_published'].map((name) => alone(`users.${name}`, 'value', newer)),
  ...['views', 'likes', 'comments'].map((name) =>
    alone(`media_insights.${name}`, 'value for every kind that has it', metric2),
  ),
  ...['total_interactions', 'reposts', 'profile_activity', 'reels_skip_rate'].map((name) =>
    alone(`media_insights.${name}`, 'value', newer),
  ),
  ...['media_type', 'media_product_type'].map((name) =>
    alone(`media_insights.${name}`, 'value', 'the metrics depend on it'),
  ),
  ...['navigation', 'navigation_actions', 'link_clicks', 'profile_activity'].map((name) =>
    alone(`story_insights.${name}`, 'value', newer),
  ),
  alone(
    'story_insights.is_final',
    '`true` in the last record, unless it has a `not_final_reason`',
    'a reader knows when to stop',
  ),
  ...lastRecordOnly,
  alone('story_insights.timestamp', 'when the story was posted', 'as in `media_insights`'),
];
