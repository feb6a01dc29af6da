import { invalidPart, readOrReject } from '../../engine/dead-letters.ts';
import { type DeadLetterError, FailError, SkipError, type Skipped } from '../../engine/errors.ts';
import { type Node, isNode } from '../../engine/json.ts';
import { fieldsParameter } from '../model/fields.ts';
import type { RequestOf } from '../streams/stream.ts';
import type { ExtractContext, Extraction } from './extraction.ts';
import { isOld } from './list.ts';
import { type NamePage, getPublic, readNames } from './listed-names.ts';
import { PageSize, requestSmaller } from './page-size.ts';
import { cursorOf, nodesOf, withoutRejectedFields } from './requests.ts';

/** The list of an account's media with more pages counts as endless (Invariant 10). */
const mostPages = 1000;

/** Reads listed accounts of others, or their media, through the polled account, name by name. */
export function extractDiscovered(
  source: RequestOf<'public'>,
  context: ExtractContext,
): Extraction {
  const read = source.of === 'users' ? readUser : readMedia;
  const subjects = context.publicContent.users.map((name) => `@${name}`);
  return readNames(
    {
      subjects,
      read: (subject) => read(subject.slice(1), source, context),
      reason: 'graph.user-not-public',
    },
    context,
  );
}

async function* readUser(
  name: string,
  { fields }: RequestOf<'public'>,
  context: ExtractContext,
): AsyncGenerator<NamePage> {
  const skipped: Skipped[] = [];
  const rejected: DeadLetterError[] = [];
  const body = await withoutRejectedFields(skipped, (excluded) =>
    discover(name, fieldsParameter(fields, excluded), context),
  );
  const user = readOrReject(rejected, () => userOf(body, name));
  yield { nodes: user === undefined ? [] : [user], skipped, rejected };
}

/**
 * Yields the pages of an account's media, newest first, until one ends with a media that is older
 * than the configured age. The list has cursors and never a `next`: after the last page, another one
 * is empty (observed). A page that is too large is requested again at a smaller size.
 */
async function* readMedia(
  name: string,
  source: RequestOf<'public'>,
  context: ExtractContext,
): AsyncGenerator<NamePage> {
  const { nowMs, publicContent } = context;
  const page = new PageSize(context.pageSize);
  const seen = new Set<string>();
  const excluded: Skipped[] = [];
  for (let after: string | undefined, pages = 1; ; pages += 1) {
    const noted = excluded.length;
    const body = await mediaPage(excluded, { name, source, page, after }, context);
    const rejected: DeadLetterError[] = [];
    const { nodes, cursor } = mediaOf(body, name, rejected);
    yield { nodes, rejected, skipped: excluded.slice(noted) };
    after = cursor;
    const isEnd = nodes.length === 0 || isOld(nodes, nowMs - publicContent.mediaAgeMs);
    if (isEnd || after === undefined || seen.has(after)) return;
    seen.add(after);
    if (pages === mostPages) {
      const message = `@${name}: the list of media has no end after ${mostPages} pages; it is read again at the next interval`;
      throw new FailError('graph.refused', message);
    }
  }
}

/** Returns the media of a page, each with the id of its account, and the cursor after them. */
function mediaOf(body: Node, name: string, rejected: DeadLetterError[]) {
  const user = readOrReject(rejected, () => userOf(body, name));
  const list = user?.['media'];
  if (user === undefined || !isNode(list)) return { nodes: [], cursor: undefined };
  const listed = readOrReject(rejected, () => nodesOf(list, rejected)) ?? [];
  const nodes = listed.map((node): Node => ({ ...node, user_id: user['id'] ?? null }));
  return { nodes, cursor: cursorOf(list) };
}

interface MediaPage {
  readonly name: string;
  readonly source: RequestOf<'public'>;
  readonly page: PageSize;
  readonly after: string | undefined;
}

function mediaPage(
  skipped: Skipped[],
  { name, source, page, after }: MediaPage,
  context: ExtractContext,
): Promise<Node> {
  const cursor = after === undefined ? '' : `.after(${after})`;
  return requestSmaller(page, (size) =>
    withoutRejectedFields(skipped, (excluded) => {
      const fields = fieldsParameter(source.fields, excluded);
      return discover(name, `id,media.limit(${size})${cursor}{${fields}}`, context);
    }),
  );
}

/** Requests fields of another account by its user name. */
function discover(name: string, fields: string, context: ExtractContext): Promise<Node> {
  const endpoint = '/{account}/business_discovery';
  const query = { fields: `business_discovery.username(${name}){${fields}}` };
  return getPublic({ endpoint, path: `/${context.account.id}`, query }, context);
}

/**
 * Returns the account of an answer. @throws SkipError when there is none: Meta does not return
 * age-gated accounts; DeadLetterError `graph.bad-body` when it is no object
 */
function userOf(body: Node, name: string): Node {
  const user = body['business_discovery'] ?? null;
  if (isNode(user)) return user;
  if (user === null) {
    throw new SkipError('graph.user-not-public', `@${name}: the answer has no account`);
  }
  const part = { path: 'business_discovery', expected: 'an object', received: user, raw: body };
  throw invalidPart(part, 'graph.bad-body');
}
