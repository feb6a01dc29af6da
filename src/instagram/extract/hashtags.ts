import { type DeadLetterError, SkipError, type Skipped } from '../../engine/errors.ts';
import { keyNumber } from '../../engine/fingerprint.ts';
import type { Node } from '../../engine/json.ts';
import type { SearchedHashtag } from '../../engine/state.ts';
import { fieldsParameter } from '../model/fields.ts';
import { admitHashtags, rememberedHashtags, withSearched } from '../model/hashtags.ts';
import type { RequestOf } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { type NamePage, getPublic, readNames } from './listed-names.ts';
import { PageSize, requestSmaller } from './page-size.ts';
import { cursorOf, nodesOf, withoutRejectedFields } from './requests.ts';

/** The largest page that the API returns of a hashtag's media. */
export const hashtagPage = 50;

const lists = ['recent', 'top'] as const;
type ListName = (typeof lists)[number];

/** The searched hashtags, which a poll changes as it searches. */
interface Searches {
  hashtags: readonly SearchedHashtag[];
}

/**
 * Reads the recent and the top media of listed hashtags. Counts the hashtags that the account
 * searches: those above Meta's limit wait and are skipped by name.
 */
export async function* extractHashtags(
  source: RequestOf<'public'>,
  context: ExtractContext,
): Extraction {
  const { checkpoint, nowMs, publicContent } = context;
  const { hashtags: listed } = publicContent;
  const searches = { hashtags: rememberedHashtags(checkpoint.hashtags, listed, nowMs) };
  const { admitted, waiting } = admitHashtags(listed, searches.hashtags, nowMs);
  const subjects = admitted.map((name) => `#${name}`);
  const read = (subject: string) => readHashtag(subject.slice(1), { source, context, searches });
  const pages = readNames({ subjects, read, reason: 'graph.hashtag-refused' }, context);
  for await (const page of pages) {
    const { hashtags } = searches;
    yield { ...page, checkpointUpdate: { ...page.checkpointUpdate, hashtags } };
  }
  const reason = 'graph.hashtag-limit';
  const skipped = waiting.map((name) => ({ reason, subject: `#${name}` }) as const);
  yield { nodes: [], skipped, coveredUntilMs: null };
}

interface HashtagPoll {
  readonly source: RequestOf<'public'>;
  readonly context: ExtractContext;
  readonly searches: Searches;
}

/** Yields the media of both lists of a hashtag, each with its list. */
async function* readHashtag(name: string, poll: HashtagPoll): AsyncGenerator<NamePage> {
  const id = await idOf(name, poll);
  const skipped: Skipped[] = [];
  const rejected: DeadLetterError[] = [];
  const nodes: Node[] = [];
  for (const list of lists) {
    for (const node of await readList(list, { id, skipped, rejected }, poll)) {
      nodes.push({ ...node, hashtag_id: id, hashtag: name, list });
    }
  }
  yield { nodes, skipped, rejected };
}

/** Returns the id of a hashtag, which is constant: it is searched once. */
async function idOf(name: string, { context, searches }: HashtagPoll): Promise<string> {
  const { account, nowMs } = context;
  const known = searches.hashtags.find((one) => one.name === name)?.id ?? null;
  // Counted before the request: a search counts whatever its answer is.
  searches.hashtags = withSearched(searches.hashtags, { name, id: known }, nowMs);
  if (known !== null) return known;
  const search = '/ig_hashtag_search';
  const query = { user_id: account.id, q: name };
  const body = await getPublic({ endpoint: search, path: search, query }, context);
  const id = nodesOf(body, [])[0]?.['id'];
  if (typeof id !== 'string' || !/^\d+$/.test(id)) {
    throw new SkipError('graph.hashtag-refused', `#${name}: the search finds no such hashtag`);
  }
  searches.hashtags = withSearched(searches.hashtags, { name, id }, nowMs);
  return id;
}

interface HashtagList {
  readonly id: string;
  readonly skipped: Skipped[];
  readonly rejected: DeadLetterError[];
}

/**
 * Reads a list page by page. Its cursor is the same on each page (documented), so that it shows no
 * end: the list ends with a page that repeats media of this reading, or that has only published ones.
 */
async function readList(
  list: ListName,
  { id, skipped, rejected }: HashtagList,
  poll: HashtagPoll,
): Promise<readonly Node[]> {
  const { context } = poll;
  const { published } = context.checkpoint;
  const byId = new Map<unknown, Node>();
  const page = new PageSize(Math.min(hashtagPage, context.pageSize));
  for (
    let after: string | undefined, pages = 0;
    pages < context.publicContent.hashtagPages;
    pages += 1
  ) {
    const body = await listPage({ list, id, page, after }, skipped, poll);
    const nodes = nodesOf(body, rejected).filter((node) => !byId.has(identityOf(node)));
    for (const node of nodes) byId.set(identityOf(node), node);
    after = cursorOf(body);
    const isPublished = (node: Node): boolean => {
      const { id: mediaId } = node;
      return typeof mediaId === 'string' && published.has(keyNumber(`${id}/${list}/${mediaId}`));
    };
    if (nodes.every(isPublished) || after === undefined) break;
  }
  return [...byId.values()];
}

/** A node without a valid id is its own identity: each becomes a dead letter. */
function identityOf(node: Node): unknown {
  return typeof node['id'] === 'string' ? node['id'] : node;
}

interface HashtagPage {
  readonly list: ListName;
  readonly id: string;
  readonly page: PageSize;
  readonly after: string | undefined;
}

function listPage(
  { list, id, page, after }: HashtagPage,
  skipped: Skipped[],
  { source, context }: HashtagPoll,
): Promise<Node> {
  return requestSmaller(page, (size) =>
    withoutRejectedFields(skipped, (excluded) => {
      const query = {
        user_id: context.account.id,
        fields: fieldsParameter(source.fields, excluded),
        limit: String(size),
        ...(after === undefined ? {} : { after }),
      };
      const path = `/${id}/${list}_media`;
      return getPublic({ endpoint: `/{hashtag}/${list}_media`, path, query }, context);
    }),
  );
}
