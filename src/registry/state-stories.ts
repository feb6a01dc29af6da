import type { Node } from '../engine/json.ts';
import { type RememberedStory, storyOutcomes } from '../engine/state.ts';

/** Returns the Avro fields of a story in a state. */
export function writeStory(story: RememberedStory): Node {
  return {
    id: story.id,
    created: story.createdMs,
    read: story.readMs,
    values: story.values,
    actions: story.actions,
    few_viewers: story.fewViewers,
    outcome: story.outcome,
    until: story.untilMs,
  };
}

/** The fields of a decoded story, whose types the reader's schema guarantees. */
interface StoryFields {
  readonly id: string;
  readonly created: number | null;
  readonly read: number | null;
  readonly values: RememberedStory['values'];
  readonly actions: RememberedStory['actions'];
  readonly few_viewers: boolean;
  readonly outcome: string | null;
  readonly until: number | null;
}

export function toStory(record: Node): RememberedStory {
  const fields = record as unknown as StoryFields;
  const { outcome } = fields;
  // A later version may have written an unknown outcome; the story gets no other last record.
  const known = storyOutcomes.find((one) => one === outcome) ?? 'final';
  const actions = Object.entries(fields.actions).map(([name, counts]) => [name, { ...counts }]);
  return {
    id: fields.id,
    createdMs: fields.created,
    readMs: fields.read,
    // Avro's maps have no prototype; copied, so that equal stories compare as equal.
    values: { ...fields.values },
    actions: Object.fromEntries(actions) as RememberedStory['actions'],
    fewViewers: fields.few_viewers,
    outcome: outcome === null ? null : known,
    untilMs: fields.until,
  };
}
