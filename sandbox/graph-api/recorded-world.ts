import { readFile } from 'node:fs/promises';
import { type Conditions, createConditions } from './conditions.ts';
import { type JsonObject, isObject, parseJson } from './json.ts';
import { recordedAccount } from './recorded/account.ts';
import { collect } from './recorded/collect.ts';
import type { Collected, CollectedOthers, CollectedPage } from './recorded/collection.ts';
import { askedMedia, recordedMedia } from './recorded/media.ts';
import type { App } from './tokens/app.ts';
import { initialGrants } from './tokens/initial.ts';
import { createTokenStore } from './tokens/store.ts';
import { type Clock, createClock } from './world/clock.ts';
import { underConditions } from './world/conditioned.ts';
import type { Account, Media, Others, Page, World } from './world/model.ts';

/** One real exchange with the API, without its token and other people's texts. */
export interface Exchange {
  /** ISO 8601; older recordings lack it. */
  readonly time?: string;
  readonly request: {
    readonly method: string;
    /** Path with the version: `/v23.0/17841…/media`. */
    readonly path: string;
    readonly query: Readonly<Record<string, string>>;
  };
  readonly response: { readonly status: number; readonly body: JsonObject };
}

/** Reads exchanges, one JSON object a line; throws an error that names the line. */
export async function readRecording(path: string): Promise<Exchange[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.flatMap((line, index) =>
    line.trim() === '' ? [] : [parseExchange(line, `${path}:${index + 1}`)],
  );
}

function parseExchange(line: string, where: string): Exchange {
  const exchange = parseJson(line);
  const { time, request, response } = isObject(exchange) ? exchange : {};
  const sent = isObject(request) ? parseRequest(request) : undefined;
  const answered = isObject(response) ? parseResponse(response) : undefined;
  if (sent === undefined || answered === undefined) {
    throw new Error(
      `${where}: expected {"request": {"method", "path", "query"}, "response": {"status", "body"}}`,
    );
  }
  return { ...(typeof time === 'string' && { time }), request: sent, response: answered };
}

function parseRequest({ method, path, query }: JsonObject): Exchange['request'] | undefined {
  if (typeof method !== 'string' || typeof path !== 'string' || !isObject(query)) return undefined;
  return { method, path, query: textsOf(query) };
}

function parseResponse({ status, body }: JsonObject): Exchange['response'] | undefined {
  return typeof status === 'number' && isObject(body) ? { status, body } : undefined;
}

function textsOf(query: JsonObject): Record<string, string> {
  const texts = Object.entries(query).map(([name, value]) => {
    return [name, typeof value === 'string' ? value : JSON.stringify(value)] as const;
  });
  return Object.fromEntries(texts);
}

/** Placeholder app: a recording does not show its app. */
const RECORDED_APP: App = {
  clientId: '1000000000000001',
  clientSecret: 'recorded',
  name: 'Recorded app',
  requireProof: false,
  codeShape: 'data',
  configurations: {},
};

/**
 * Creates a world from recorded exchanges: its accounts, media, pages and days are those of the
 * bodies; its clock stands at the recording's end. Data that no body shows is absent.
 */
export function createRecordedWorld(exchanges: readonly Exchange[]): World {
  const collected = collect(exchanges);
  const clock = createClock({ startMs: collected.endMs, live: false, speed: 1 });
  const conditions = createConditions();
  const { businesses, unlistedPages } = collected;
  const denied = [...collected.accounts.values()].map(({ id, denied: edges }) => [id, [...edges]]);
  conditions.set({
    ...collected.others.conditions,
    unlistedPages,
    businesses: Object.fromEntries(businesses),
    deniedEdges: Object.fromEntries(denied) as Record<string, string[]>,
  });
  const accounts = recordedAccounts(collected, { clock, conditions });
  const listed = recordedPages(accounts, collected.pages);
  const media = mediaById(accounts, collected);
  const token = 'EAAGrecorded';
  const startMs = collected.endMs;
  return {
    token,
    clock,
    accounts,
    pages: listed,
    conditions,
    limits: {},
    app: { ...RECORDED_APP },
    firstApp: RECORDED_APP,
    tokens: createTokenStore(initialGrants({ token, pages: listed, accounts, startMs })),
    sparsePages: false,
    cursors: collected.cursors,
    instagramLogin: [...collected.accounts.values()].some((one) => one.appScopedId !== undefined),
    recordedMedia: [...media.values()],
    others: recordedOthers(collected.others, { clock, conditions }),
    findMedia: (id) => {
      const found = media.get(id);
      return found && underConditions(found, conditions);
    },
    signUrl: (url) => url,
  };
}

/** Creates the recorded accounts and hashtags of other people. */
function recordedOthers(
  { discovered, hashtags }: CollectedOthers,
  parts: { readonly clock: Clock; readonly conditions: Conditions },
): Others {
  const accounts = [...discovered].map(([name, found]) => {
    return [name, found && recordedAccount(found, { pageId: '', ...parts })] as const;
  });
  const tags = [...hashtags].map(([id, { name, lists }]) => {
    const media = [...lists].map(([edge, nodes]) => {
      const items = [...nodes].map(([mediaId, fields]) =>
        recordedMedia({ id: mediaId, accountId: '', fields, otherwise: 'FEED' }),
      );
      return [edge, items] as const;
    });
    return [id, { name, media: new Map(media) }] as const;
  });
  return { discovered: new Map(accounts), hashtags: new Map(tags) };
}

/** Creates the accounts, each with the page that names it, else with the next page without one. */
function recordedAccounts(
  { accounts, pages }: Collected,
  parts: { readonly clock: Clock; readonly conditions: Conditions },
): Account[] {
  const named = new Set([...accounts.values()].map(({ pageId }) => pageId));
  const free = pages.filter(({ id }) => !named.has(id) && !names(id, pages)).map(({ id }) => id);
  return [...accounts.values()].map((account) => {
    const pageId = account.pageId ?? free.shift() ?? `1${account.id.slice(1)}`;
    return recordedAccount(account, { pageId, ...parts });
  });
}

/** True for a page whose account was requested: it has another one, or none. */
function names(pageId: string, pages: readonly CollectedPage[]): boolean {
  return pages.some((page) => page.id === pageId && 'instagram_business_account' in page);
}

/** Creates the pages in their recorded order, then those of accounts that no page names. */
function recordedPages(accounts: readonly Account[], pages: readonly CollectedPage[]): Page[] {
  const unnamed = accounts.filter(({ pageId }) => !pages.some(({ id }) => id === pageId));
  return [...pages, ...unnamed.map(({ pageId }) => ({ id: pageId }))].map((fields) => {
    const account = accounts.find(({ pageId }) => pageId === fields.id);
    const linked = 'instagram_business_account' in fields && fields['instagram_business_account'];
    return {
      id: fields.id,
      token: `EAAGpage${fields.id}`,
      fields,
      ...(account !== undefined && { account }),
      ...(Array.isArray(linked) && { isEmpty: true }),
    };
  });
}

/** Returns every media that a body shows, in a list or by its own id. */
function mediaById(accounts: readonly Account[], collected: Collected): Map<string, Media> {
  const media = new Map<string, Media>(
    accounts.flatMap((account) =>
      [...account.media, ...account.stories].map((one) => [one.id, one] as const),
    ),
  );
  const accountId = accounts[0]?.id ?? '';
  for (const [id, stray] of collected.media) {
    media.set(id, askedMedia(stray, { listed: media.get(id), accountId }));
  }
  return media;
}
