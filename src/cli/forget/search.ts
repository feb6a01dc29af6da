import { type Json, type Node, isNode } from '../../engine/json.ts';
import { isShared, topicName, type TopicRole } from '../../engine/stream-name.ts';
import type { PersonName } from '../../engine/suppression.ts';
import { fieldHash } from '../../config/field-lists.ts';
import { streamNames, streams } from '../../instagram/streams/index.ts';
import type { InstagramStream } from '../../instagram/streams/stream.ts';
import type { TailedRecord, TopicFinding, TopicRecord } from '../../kafka/index.ts';
import type { StateSession } from '../state/session.ts';
import { usage } from '../command.ts';
import { plural } from '../text.ts';
import { formOfNames, idsOf, isBy, type SearchTerms, termsOf } from './person.ts';

/** The streams whose records other people write. */
export const peopleStreams: readonly InstagramStream[] = streamNames
  .map((name) => streams[name])
  .filter(({ author }) => author !== null);

/** The topics that may hold what a person wrote. */
export const searchedRoles: readonly TopicRole[] = [
  ...peopleStreams.map(({ name }) => name),
  'dead_letters',
];

/** A record that a person wrote, and the account whose poll read it. */
export interface PersonRecord extends TopicRecord {
  readonly accountId: string;
}

export interface SearchResult {
  readonly records: readonly PersonRecord[];
  /** The names by which the records were found: those given, and the ids of their records. */
  readonly names: readonly PersonName[];
  /** The topics that were searched. */
  readonly topics: readonly TopicFinding[];
  /** Dead letters that contain a name of the person, by topic. */
  readonly deadLetters: ReadonlyMap<string, number>;
  /** Records that cannot be decoded, by topic. */
  readonly unreadable: ReadonlyMap<string, number>;
  /** Records whose names of the requested kinds are all hashed, by topic. */
  readonly hashed: ReadonlyMap<string, number>;
  /** Records whose names of the requested kinds are masked or missing, by topic. */
  readonly hidden: ReadonlyMap<string, number>;
}

/**
 * Searches every topic from its beginning for the records of a person, of some accounts.
 * @throws StopProcessError `config.invalid` when records have hashed names and there is no secret
 */
export async function searchRecords(
  session: StateSession,
  initialNames: readonly PersonName[],
  accounts: readonly string[],
): Promise<SearchResult> {
  const { config, kafka, signal } = session;
  const findings = await kafka.probe.topics(accounts);
  const topics = topicsOf(config.kafka.topicTemplate, accounts).flatMap((one) => {
    const found = findings.find(({ name, exists }) => exists && name === one.topic);
    return found === undefined ? [] : [{ ...one, found }];
  });
  const hash = config.fields.hashSecret === null ? null : fieldHash(config);
  let names = initialNames;
  for (;;) {
    const kinds = new Set(initialNames.map(({ kind }) => kind));
    const scan = createScan(session, { terms: termsOf(names, hash), kinds }, accounts);
    for (const { topic, role } of topics) {
      const take = (record: TailedRecord) => scan.take({ ...record, topic, role });
      const request = { topic, start: { kind: 'beginning' }, follow: false, take } as const;
      await kafka.tail(request, signal);
      signal.throwIfAborted();
    }
    if (hash === null) rejectHashed(scan.result().hashed);
    const known = new Set(names.map(({ value }) => value));
    const more = scan.ids().filter(({ value }) => !known.has(value));
    // Other records may name the person by an id of these alone.
    if (more.length === 0)
      return { ...scan.result(), names, topics: topics.map(({ found }) => found) };
    names = [...names, ...more];
  }
}

function rejectHashed(hashed: ReadonlyMap<string, number>): void {
  const [first] = hashed;
  if (first === undefined) return;
  const [topic, count] = first;
  throw usage(
    `forget: the names in ${plural(count, 'record')} of ${topic} are hashed, so they cannot be found ` +
      'by name; set FIELDS_HASH_SECRET, or FIELDS_HASH_SECRET_FILE, to the secret of the instances',
  );
}

function topicsOf(template: string, accounts: readonly string[]) {
  return searchedRoles.flatMap((role) =>
    isShared(template, role)
      ? [{ role, topic: topicName(template, role) }]
      : accounts.map((account) => ({ role, topic: topicName(template, role, account) })),
  );
}

type ReadRecord = TailedRecord & Pick<TopicRecord, 'topic' | 'role'>;

/** The texts that are sought, and the kinds of names that were given. */
interface Sought {
  readonly terms: SearchTerms;
  readonly kinds: ReadonlySet<PersonName['kind']>;
}

/** Creates the state of one reading of all topics. */
function createScan(
  { values, signal }: StateSession,
  { terms, kinds }: Sought,
  accounts: readonly string[],
) {
  const found = new Map<string, PersonRecord>();
  const ids = new Map<string, PersonName>();
  const deadLetters = new Map<string, number>();
  const unreadable = new Map<string, number>();
  const hashed = new Map<string, number>();
  const hidden = new Map<string, number>();
  const count = (counts: Map<string, number>, topic: string) =>
    counts.set(topic, (counts.get(topic) ?? 0) + 1);
  const countForm = (form: ReturnType<typeof formOfNames>, topic: string): void => {
    if (form === 'hashed') count(hashed, topic);
    if (form === 'hidden') count(hidden, topic);
  };
  const takeValue = async (record: ReadRecord, place: string, value: Node): Promise<void> => {
    const { topic, role, partition, headers, key } = record;
    if (role === 'dead_letters') {
      if (mentions(value, terms)) count(deadLetters, topic);
      return;
    }
    const author = streams[role as keyof typeof streams].author;
    const accountId = headers['account'] ?? textOf(value['business_account_id']);
    if (author === null || key === null || !accounts.includes(accountId)) return;
    countForm(formOfNames(value, author, kinds), topic);
    if (!isBy(value, author, terms)) return;
    for (const id of idsOf(value, author)) ids.set(id.value, id);
    const { text } = await values.readKey(key, signal);
    found.set(place, { topic, role, partition, key: text, keyBytes: key, headers, accountId });
  };
  return {
    /** Takes a record; an older value of a key counts too, until its tombstone. */
    async take(record: ReadRecord): Promise<true> {
      const { topic, key, value } = record;
      const place = `${topic} ${key?.toString('latin1') ?? ''}`;
      if (value === null) found.delete(place);
      else {
        const read = await values.read(value, signal);
        if (read.kind === 'value' && isNode(read.value)) {
          await takeValue(record, place, read.value);
        } else count(unreadable, topic);
      }
      return true;
    },
    ids: () => [...ids.values()],
    result: () => ({ records: [...found.values()], deadLetters, unreadable, hashed, hidden }),
  };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** True when the content of a dead letter contains a name as a whole text. */
function mentions(letter: Node, { username, id }: SearchTerms): boolean {
  const isOfPeople = peopleStreams.some(({ name }) => name === letter['stream']);
  const raw = textOf(letter['raw']).toLowerCase();
  return isOfPeople && [...username, ...id].some((term) => raw.includes(`"${term}"`));
}
