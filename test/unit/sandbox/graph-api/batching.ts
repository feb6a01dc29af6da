import type { JsonObject } from '../../../../sandbox/graph-api/json.ts';
import type { Asked } from './asking.ts';

/** An item of the answer to a batch request. */
export interface BatchItem {
  readonly code: number;
  readonly headers?: readonly { readonly name: string; readonly value: string }[];
  readonly body: string;
}

/** The answer to a batch request: a list of items, or an error. */
export interface BatchAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly items: readonly (BatchItem | null)[];
  readonly error: JsonObject | undefined;
}

/** Posts a form with GET items of these URLs and the world's token; `path` is not a form field. */
export function post(
  asked: Asked,
  urls: readonly string[],
  { path = '/v25.0/', ...changes }: Readonly<Record<string, string>> = {},
): Promise<BatchAnswer> {
  const batch = JSON.stringify(urls.map((url) => ({ method: 'GET', relative_url: url })));
  const fields = { access_token: asked.world.token, batch, ...changes };
  return send(`${asked.api.url}${path}`, { body: new URLSearchParams(fields) });
}

/** Posts these fields of a form. */
export function postForm(
  { api }: Asked,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<BatchAnswer> {
  return send(`${api.url}/v25.0/`, { body: new URLSearchParams(fields), headers });
}

/** Posts a JSON object. */
export function postJson({ api }: Asked, body: object, query = ''): Promise<BatchAnswer> {
  const headers = { 'Content-Type': 'application/json' };
  return send(`${api.url}/v25.0/${query}`, { body: JSON.stringify(body), headers });
}

async function send(url: string, init: RequestInit): Promise<BatchAnswer> {
  const answer = await fetch(url, { ...init, method: 'POST' });
  const body = (await answer.json()) as readonly BatchItem[] | { error: JsonObject };
  const { status, headers } = answer;
  return 'error' in body
    ? { status, headers, items: [], error: body.error }
    : { status, headers, items: body, error: undefined };
}

/** The JSON bodies of the items. */
export function bodiesOf({ items }: BatchAnswer): readonly JsonObject[] {
  return items.map((item) => JSON.parse(item?.body ?? '{}') as JsonObject);
}

/** The headers of an item by name. */
export function headersOf(item: BatchItem | null | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((item?.headers ?? []).map(({ name, value }) => [name, value]));
}
