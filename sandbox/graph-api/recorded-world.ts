import { readFile } from 'node:fs/promises';
import { createConditions } from './conditions.ts';
import { type JsonObject, isObject, parseJson } from './json.ts';
import { recordedAccount } from './recorded/account.ts';
import { type Collected, collect } from './recorded/collect.ts';
import { askedMedia } from './recorded/media.ts';
import type { App } from './tokens/app.ts';
import { initialGrants } from './tokens/initial.ts';
import { createTokenStore } from './tokens/store.ts';
import { createClock } from './world/clock.ts';
import { underConditions } from './world/conditioned.ts';
import type { Account, Media, Page, World } from './world/model.ts';

/** One real exchange with the API, without its token and other people's texts. */
export interface Exchange {
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
  const request = isObject(exchange) ? exchange['request'] : undefined;
  const response = isObject(exchange) ? exchange['response'] : undefined;
  if (
    !isObject(request) ||
    !isObject(response) ||
    typeof request['method'] !== 'string' ||
    typeof request['path'] !== 'string' ||
    !isObject(request['query']) ||
    typeof response['status'] !== 'number' ||
    !isObject(response['body'])
  ) {
    throw new Error(
      `${where}: expected {"request": {"method", "path", "query"}, "response": {"status", "body"}}`,
    );
  }
  return {
    request: {
      method: request['method'],
      path: request['path'],
      query: textsOf(request['query']),
    },
    response: { status: response['status'], body: response['body'] },
  };
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
  const pageIds = collected.pages.map(({ id }) => id);
  const accounts = [...collected.accounts.values()].map((account, index) =>
    recordedAccount(account, {
      pageId: pageIds[index] ?? `1${account.id.slice(1)}`,
      clock,
      conditions,
    }),
  );
  const pages: Page[] = accounts.map((account) => ({
    id: account.pageId,
    token: `EAAGpage${account.pageId}`,
    fields: collected.pages.find(({ id }) => id === account.pageId) ?? { id: account.pageId },
    account,
  }));
  const lone = collected.pages.slice(accounts.length).map((fields) => ({
    id: fields.id,
    token: `EAAGpage${fields.id}`,
    fields,
  }));
  const media = mediaById(accounts, collected);
  const token = 'EAAGrecorded';
  const listed = [...pages, ...lone];
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
    findMedia: (id) => {
      const found = media.get(id);
      return found && underConditions(found, conditions);
    },
    signUrl: (url) => url,
  };
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
