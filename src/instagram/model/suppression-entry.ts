import { createHmac } from 'node:crypto';
import type { PersonName } from '../../engine/suppression.ts';

/** Returns a person's entry in an account's list: 64 bits of a keyed hash, as a decimal text. */
export function suppressionEntry(accountId: string, { kind, value }: PersonName): string {
  const text = `${kind} ${value.toLowerCase()}`;
  return String(createHmac('sha256', accountId).update(text).digest().readBigUInt64BE());
}
