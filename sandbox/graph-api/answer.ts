import type { Caller, Context, EdgeRequest, GraphNode } from './context.ts';
import { graphError } from './errors.ts';
import { parseFields } from './fields-parser.ts';
import type { Json } from './json.ts';
import { accountNode } from './nodes/account-node.ts';
import { commentNode } from './nodes/comment-node.ts';
import { instagramLoginNode, meNode } from './nodes/me-node.ts';
import { mediaNode } from './nodes/media-node.ts';
import { pageNode } from './nodes/page-node.ts';
import { renderNode } from './nodes/render.ts';
import { mayRead } from './tokens/app.ts';
import { findComment } from './world/find-comment.ts';
import type { Page, World } from './world/model.ts';

/** A request as far as its answer depends on it. */
export interface Question {
  /** Without the version: `['17841…', 'media']`. */
  readonly segments: readonly string[];
  /** In the order of the request, without the token. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Answers a question whose token is good; throws the error that Meta would answer. */
export function answer(question: Question, context: Context): Json {
  const { segments, parameters } = question;
  if (parameters.has('ids')) {
    throw graphError('ids-deprecated');
  }
  const [id, name, ...rest] = segments;
  if (id === undefined || rest.length > 0) {
    throw id === undefined
      ? graphError('unsupported-method', 'get')
      : graphError('unknown-path', `/${rest.join('/')}`);
  }
  const node = id === 'me' ? ownNode(context) : context.lookup(id);
  const request = edgeRequest(parameters);
  return name === undefined
    ? renderNode(node, request.fields, context)
    : node.edge(name, request, context);
}

/** `me`; an account that may not be read is refused to itself, too. */
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

/** The ledger's name of a question's endpoint, `/{account}/media`: ids become placeholders. */
export function endpointOf({ segments }: Question, world: World): string {
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
  const nowMs = world.clock.now();
  const isComment =
    world.findMedia(id, nowMs) === undefined && findComment(id, world, nowMs) !== undefined;
  return isComment ? '{comment}' : '{media}';
}

/** Finds what the caller may see; everything else does not exist for it. */
export function findNode(id: string, seeing: Seeing): GraphNode | undefined {
  const { world, caller, nowMs } = seeing;
  const account = world.accounts.find((one) => one.id === id);
  if (account !== undefined) {
    if (!reaches(seeing, account.id)) return undefined;
    return caller.kind === 'account' ? instagramLoginNode(account) : accountNode(account);
  }
  const page = world.pages.find((one) => one.id === id);
  if (page !== undefined) {
    return seesPage(caller, page) ? pageNode(page) : undefined;
  }
  const broken = world.conditions.brokenChildren.has(id);
  const media = broken ? undefined : world.findMedia(id, nowMs);
  if (media === undefined) return broken ? undefined : foundComment(id, seeing);
  return reaches(seeing, media.accountId) ? mediaNode(media, { direct: true }) : undefined;
}

function foundComment(id: string, seeing: Seeing): GraphNode | undefined {
  const found = findComment(id, seeing.world, seeing.nowMs);
  if (found === undefined || !reaches(seeing, found.media.accountId)) return undefined;
  if (!mayRead('people', seeing)) throw graphError('no-permission');
  return commentNode(found.comment, found);
}

/** Throws for an account that may not be read. */
function reaches(seeing: Seeing, accountId: string): boolean {
  const { conditions } = seeing.world;
  if (!sees(seeing.caller, accountId) || conditions.vanishedAccounts.has(accountId)) {
    return false;
  }
  if (conditions.deniedAccounts.has(accountId) || !mayRead('basic', seeing)) {
    throw graphError('no-permission');
  }
  return true;
}

type Seeing = Pick<Context, 'world' | 'nowMs' | 'caller' | 'token' | 'dialect'>;

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
