import type { Caller, Context, EdgeRequest, GraphNode } from './context.ts';
import { graphError } from './errors.ts';
import { parseFields } from './fields-parser.ts';
import type { Json } from './json.ts';
import { accountNode } from './nodes/account-node.ts';
import { businessNode } from './nodes/business-node.ts';
import { commentNode } from './nodes/comment-node.ts';
import { hashtagNode, hashtagSearch } from './nodes/hashtag-node.ts';
import { instagramLoginNode, meNode } from './nodes/me-node.ts';
import { mediaNode } from './nodes/media-node.ts';
import { pageNode } from './nodes/page-node.ts';
import { renderNode } from './nodes/render.ts';
import { mayRead } from './tokens/app.ts';
import { findComment } from './world/find-comment.ts';
import type { Page, World } from './world/model.ts';

/** The parts of a request that determine its answer. */
export interface ParsedRequest {
  /** Path segments without the version: `['17841…', 'media']`. */
  readonly segments: readonly string[];
  /** Parameters in the order of the request, without the token. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Answers a request whose token is valid; throws the error that Meta would answer. */
export function answer(parsed: ParsedRequest, context: Context): Json {
  const { segments, parameters } = parsed;
  if (parameters.has('ids')) {
    throw graphError('ids-deprecated');
  }
  const [id, name, ...rest] = segments;
  if (id === undefined || rest.length > 0) {
    throw id === undefined
      ? graphError('unsupported-method', 'get')
      : graphError('unknown-path', `/${rest.join('/')}`);
  }
  const request = edgeRequest(parameters);
  if (id === 'ig_hashtag_search' && context.dialect === 'facebook') {
    return hashtagSearch(request, context);
  }
  const node = id === 'me' ? ownNode(context) : context.lookup(id);
  return name === undefined
    ? renderNode(node, request.fields, context)
    : node.edge(name, request, context);
}

/** Returns the node of `me`; an unreadable account cannot read itself either. */
function ownNode(context: Context): GraphNode {
  if (context.caller.kind === 'account') {
    context.lookup(context.caller.account.id);
  }
  return meNode(context);
}

function edgeRequest(parameters: ReadonlyMap<string, string>): EdgeRequest {
  const text = parameters.get('fields');
  const fields = text === undefined || text.trim() === '' ? undefined : parseFields(text);
  return { parameters, fields, nested: false };
}

/**
 * Returns the ledger's name of an endpoint, such as `/{account}/media`: ids become placeholders.
 */
export function endpointOf({ segments }: ParsedRequest, world: World): string {
  const [id, ...rest] = segments;
  const first = id === undefined ? '' : templateOf(id, world);
  return `/${[first, ...rest].join('/')}`;
}

function templateOf(id: string, world: World): string {
  if (!/^\d+$/.test(id)) {
    return id;
  }
  if (world.accounts.some((account) => account.id === id)) {
    return '{account}';
  }
  if (world.pages.some((page) => page.id === id)) return '{page}';
  if (world.conditions.spec.businesses?.[id] !== undefined) return '{business}';
  if (hashtagNode(id, world) !== undefined) return '{hashtag}';
  const nowMs = world.clock.now();
  const isComment =
    world.findMedia(id, nowMs) === undefined && findComment(id, world, nowMs) !== undefined;
  return isComment ? '{comment}' : '{media}';
}

/** Finds a node that the caller may see; other nodes do not exist for the caller. */
export function findNode(id: string, viewer: Viewer): GraphNode | undefined {
  const { world, caller } = viewer;
  const account = world.accounts.find((one) => one.id === id);
  if (account !== undefined) {
    if (!reaches(viewer, account.id)) return undefined;
    return caller.kind === 'account' ? instagramLoginNode(account) : accountNode(account);
  }
  const page = world.pages.find((one) => one.id === id);
  if (page !== undefined) {
    return seesPage(caller, page) ? pageNode(page) : undefined;
  }
  const business = world.conditions.spec.businesses?.[id];
  if (business === undefined) return foundMedia(id, viewer) ?? foundHashtag(id, viewer);
  return caller.kind === 'user' ? businessNode(id, business) : undefined;
}

function foundMedia(id: string, viewer: Viewer): GraphNode | undefined {
  const { world, nowMs } = viewer;
  const broken = world.conditions.brokenChildren.has(id);
  const media = broken ? undefined : world.findMedia(id, nowMs);
  if (media === undefined) return broken ? undefined : foundComment(id, viewer);
  return reaches(viewer, media.accountId) ? mediaNode(media, { direct: true }) : undefined;
}

function foundHashtag(id: string, { world, dialect }: Viewer): GraphNode | undefined {
  return dialect === 'facebook' ? hashtagNode(id, world) : undefined;
}

function foundComment(id: string, viewer: Viewer): GraphNode | undefined {
  const found = findComment(id, viewer.world, viewer.nowMs);
  if (found === undefined || !reaches(viewer, found.media.accountId)) return undefined;
  if (!mayRead('people', viewer)) throw graphError('no-permission');
  return commentNode(found.comment, found);
}

/** Throws for an unreadable account. */
function reaches(viewer: Viewer, accountId: string): boolean {
  const { conditions } = viewer.world;
  if (!sees(viewer.caller, accountId) || conditions.vanishedAccounts.has(accountId)) {
    return false;
  }
  if (conditions.deniedAccounts.has(accountId) || !mayRead('basic', viewer)) {
    throw graphError('no-permission');
  }
  return true;
}

type Viewer = Pick<Context, 'world' | 'nowMs' | 'caller' | 'token' | 'dialect'>;

function seesPage(caller: Caller, page: Page): boolean {
  return caller.kind === 'user' || (caller.kind === 'page' && caller.page.id === page.id);
}

function sees(caller: Caller, accountId: string): boolean {
  switch (caller.kind) {
    case 'user':
      return true;
    case 'page':
      return caller.page.account?.id === accountId;
    case 'account':
      return caller.account.id === accountId;
  }
}
