import { readFileSync } from 'node:fs';
// avsc is CommonJS: Node finds no named exports in it.
import avro, { type Schema, type Type } from 'avsc';
import type { TopicRole } from '../engine/stream-name.ts';

/** A topic's schema, read from `avro/`. */
export interface TopicSchema {
  readonly role: TopicRole;
  /** The file's content, registered as it is. */
  readonly text: string;
  readonly type: Type;
}

/** Reads `avro/<role>.avsc`; the folder lies beside both `src/` and `dist/`. */
export function readSchema(role: TopicRole): TopicSchema {
  const text = readFileSync(new URL(`../../avro/${role}.avsc`, import.meta.url), 'utf8');
  // Timestamps stay epoch milliseconds in memory: no logical types.
  const type = avro.Type.forSchema(JSON.parse(text) as Schema);
  return { role, text: JSON.stringify(JSON.parse(text)), type };
}
