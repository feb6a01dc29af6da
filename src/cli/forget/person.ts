import { maskedText, type Treatment } from '../../engine/field-rules.ts';
import type { Node } from '../../engine/json.ts';
import { type AuthorFields, authorNames, type PersonName } from '../../engine/suppression.ts';
import type { InstagramStream } from '../../instagram/streams/stream.ts';
import { reject, usage } from '../command.ts';

export interface PersonOptions {
  readonly user?: string;
  readonly userId?: string;
}

/** Reads the names of a person from the options. @throws StopProcessError `config.invalid` */
export function readPerson({ user, userId }: PersonOptions): readonly PersonName[] {
  const names = [
    ...(user === undefined ? [] : [{ kind: 'username', value: parseUser(user) } as const]),
    ...(userId === undefined ? [] : [{ kind: 'id', value: parseUserId(userId) } as const]),
  ];
  if (names.length > 0) return names;
  throw usage('forget: expected --user, --user-id or --list');
}

function parseUser(text: string): string {
  const name = text.replace(/^@/, '');
  if (/^[A-Za-z0-9._]{1,100}$/.test(name)) return name.toLowerCase();
  return reject('--user', 'a user name of Instagram, such as ann.example', text);
}

function parseUserId(text: string): string {
  if (/^\d{1,25}$/.test(text)) return text;
  return reject('--user-id', 'the id of a person, the digits in from.id of a comment', text);
}

/** The texts that stand for a person in the topics, by kind. */
export type SearchTerms = Readonly<Record<PersonName['kind'], ReadonlySet<string>>>;

/** Returns the texts that stand for a person: each name, and its hash. */
export function termsOf(
  names: readonly PersonName[],
  hash: ((text: string) => string) | null,
): SearchTerms {
  const termsOfKind = (kind: PersonName['kind']) => {
    const values = names.filter((name) => name.kind === kind).map(({ value }) => value);
    return new Set([...values, ...(hash === null ? [] : values.map(hash))]);
  };
  return { username: termsOfKind('username'), id: termsOfKind('id') };
}

/** True when a record was written by the person. */
export function isBy(record: Node, author: AuthorFields, terms: SearchTerms): boolean {
  return authorNames(record, author).some(({ kind, value }) =>
    terms[kind].has(value.toLowerCase()),
  );
}

/**
 * Returns the form of a record's names of the requested kinds: `hashed` when all of them are hashes,
 * `hidden` when none reaches Kafka in another form than `[masked]`, else `clear`. The records say
 * it, and not the configuration, which may have changed since they were written.
 */
export function formOfNames(
  record: Node,
  author: AuthorFields,
  kinds: ReadonlySet<PersonName['kind']>,
): 'clear' | 'hashed' | 'hidden' {
  const values = authorNames(record, author)
    .filter(({ kind, value }) => kinds.has(kind) && value !== maskedText)
    .map(({ value }) => value);
  if (values.length === 0) return 'hidden';
  return values.every((value) => /^[0-9a-f]{64}$/.test(value)) ? 'hashed' : 'clear';
}

/** Returns the ids of a record's author that later polls will see; a hash is none. */
export function idsOf(record: Node, author: AuthorFields): readonly PersonName[] {
  return authorNames(record, author).filter(
    ({ kind, value }) => kind === 'id' && /^\d+$/.test(value),
  );
}

/**
 * Describes the kinds of names by which a stream's records cannot be found, because none of the
 * fields reaches Kafka.
 * @param paths - the fields of each treatment, as configured
 */
export function hiddenNames(
  { name, author }: InstagramStream,
  names: readonly PersonName[],
  paths: Readonly<Record<Extract<Treatment, 'exclude' | 'mask'>, readonly string[]>>,
): readonly string[] {
  const hidden = [...paths.exclude, ...paths.mask];
  const isHidden = (path: string) =>
    hidden.some((one) => path === one || path.startsWith(`${one}.`));
  const kinds = [...new Set(names.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const fields = author?.[kind] ?? [];
    if (fields.length > 0 && !fields.every(isHidden)) return [];
    const word = kind === 'id' ? 'id' : 'user name';
    const why =
      fields.length === 0
        ? `its records have no ${word} of their author`
        : `${fields.join(' and ')} ${fields.length === 1 ? 'is' : 'are'} excluded or masked`;
    return [`${name}: ${why}, so it was not searched by ${word}.`];
  });
}
