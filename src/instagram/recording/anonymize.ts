import { type Json, type Node, isNode } from '../../engine/json.ts';
import { createRedact, mask } from '../../engine/redaction.ts';
import type { Exchange } from './exchange.ts';
import type { Pseudonyms } from './pseudonyms.ts';

/**
 * Replaces ids, names, texts, URLs, cursors and tokens of an exchange consistently. What is kept is
 * listed here: field names, numbers except ids, times, Meta's enums, metrics, titles and error
 * messages. Every other text is replaced, also in fields that Meta adds later.
 */
export function anonymize({ time, request, response }: Exchange, names: Pseudonyms): Exchange {
  const { method, path, query } = request;
  const { status, body } = response;
  const kept = Object.entries(query).filter(([name]) => !secretParameters.has(name));
  const sent = {
    method,
    path: pathOf(path, names, (part) => /^[a-z_\d]*[a-z][a-z_\d]*$/.test(part)),
    query: Object.fromEntries(kept.map(([name, value]) => [name, parameterOf(name, value, names)])),
  };
  const words = [sent.path, ...Object.entries(sent.query).flat()].flatMap(
    (one) => one.match(/\w+/g) ?? [],
  );
  const within: Within = { names, place: 'other', requested: new Set(words) };
  return { time, request: sent, response: { status, body: anonymizeNode(body, within) } };
}

const secretParameters = new Set(['access_token', 'appsecret_proof']);

/** The kind of object that a field is in. */
type Place = 'other' | 'error' | 'insight';

interface Within {
  readonly names: Pseudonyms;
  readonly place: Place;
  /** The words of the request without ids and names: its edges, fields, metrics, breakdowns. */
  readonly requested: ReadonlySet<string>;
  /** The dimensions of the breakdown that a value is in. */
  readonly dimensions?: readonly Json[];
}

function anonymizeNode(node: Node, outside: Within): Node {
  const within = withinNode(node, outside);
  const entries = Object.entries(node).map(([name, value]): [string, Json] => [
    keyOf(name, within.names),
    anonymizeValue(value, name, name === 'error' ? { ...within, place: 'error' } : within),
  ]);
  return Object.fromEntries(entries);
}

function withinNode(node: Node, outside: Within): Within {
  const { name, period, dimension_keys: dimensions } = node;
  if (Array.isArray(dimensions)) return { ...outside, dimensions: dimensions as readonly Json[] };
  const isInsight = typeof name === 'string' && outside.requested.has(name);
  return isInsight && typeof period === 'string' ? { ...outside, place: 'insight' } : outside;
}

function anonymizeValue(value: Json, name: string, within: Within): Json {
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (name === 'dimension_values') return items.map((one, at) => partOf(one, at, within));
    return items.map((one) => anonymizeValue(one, name, within));
  }
  if (isNode(value)) return anonymizeNode(value, within);
  if (typeof value === 'string') return anonymizeText(value, name, within);
  return typeof value === 'number' ? anonymizeNumber(value, name, within.names) : value;
}

/** No count has as many digits as an id. */
const longestCount = 1e11;

function anonymizeNumber(value: number, name: string, names: Pseudonyms): number {
  const isId =
    Number.isInteger(value) && value > 9 && (/(?:^|_)ids?$/.test(name) || value > longestCount);
  return isId ? Number(names.id(String(value))) : value;
}

/** Field names, and keys that are no data, such as the hours of `online_followers`. */
const keptKey = /^(?:[a-z][a-z\d_]*|\d{1,2}|[A-Z]{1,2}(?:\.\d\d-\d\d|\.\d\d\+)?)$/;

function keyOf(name: string, names: Pseudonyms): string {
  if (keptKey.test(name)) return name;
  return /^\d+$/.test(name) ? names.id(name) : names.text(name);
}

/** The texts that are kept, by their field; another text of the field is replaced. */
const keptTexts: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(?:timestamp|time)$|_(?:time|at|date)$/, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[+-]\d{4}|Z)$/],
  [/^media_(?:type|product_type|audio_type)$/, /^[A-Z][A-Z_]*$/],
  [/^tasks$/, /^[A-Z][A-Z_]*$/],
  [/^type$/, /^[A-Za-z]+Exception$/],
  [/^period$/, /^(?:day|week|days_28|month|lifetime|total_over_range)$/],
];

function anonymizeText(text: string, name: string, within: Within): string {
  const { names, requested } = within;
  if (isKept(text, name, within)) return text;
  if (within.place === 'insight' && /^(?:title|description)$/.test(name)) {
    return withoutTraces(text, names);
  }
  if (within.place === 'error' && /^(?:message|error_user_title|error_user_msg)$/.test(name)) {
    return names.withoutNames(withoutTraces(text, names));
  }
  const invent = inventions.find(([of]) => of.test(name))?.[1] ?? inventByShape;
  return invent(text, names, (part) => requested.has(part));
}

function isKept(text: string, name: string, { place, requested }: Within): boolean {
  if (name === 'dimension_keys') return keptDimension.test(text) || requested.has(text);
  if (name === 'blame_field_specs') return requested.has(text);
  if (place === 'insight' && name === 'name') return true;
  return keptTexts.some(([of, value]) => of.test(name) && value.test(text));
}

type IsWord = (part: string) => boolean;
type Invent = (text: string, names: Pseudonyms, isWord: IsWord) => string;

/** The inventions by the field's name; other texts are invented by their shape. */
const inventions: readonly (readonly [name: RegExp, invent: Invent])[] = [
  [/token/, () => mask],
  [/^(?:next|previous)$/, linkOf],
  [/^(?:before|after|shortcode|fbtrace_id)$/, (text, names) => names.token(text)],
  [/(?:^|_)ids?$/, idOf],
  [/username$/, (text, names) => names.username(text)],
  [/^name$/, (text, names) => names.name(text)],
];

function inventByShape(text: string, names: Pseudonyms): string {
  if (/^https?:/i.test(text)) return urlOf(text, names);
  return /^\d+$/.test(text) ? names.id(text) : names.text(text);
}

/** Replaces an id, also that of an insight: `17841…/insights/reach/day`. */
function idOf(text: string, names: Pseudonyms, isWord: IsWord): string {
  const isWordOfInsight = (part: string): boolean => isWord(part) || isPeriod(part);
  return text.includes('/')
    ? pathOf(text, names, isWordOfInsight)
    : partIn(text, names, () => false);
}

const isPeriod = (text: string): boolean =>
  /^(?:insights|day|week|days_28|month|lifetime|total_over_range)$/.test(text);

/** Replaces everything in a path but its version and its words: `/v25.0/17841…/media`. */
function pathOf(path: string, names: Pseudonyms, isWord: IsWord): string {
  const isPart = (part: string): boolean => /^(?:v\d+\.\d+)?$/.test(part) || isWord(part);
  return path
    .split('/')
    .map((part) => partIn(part, names, isPart))
    .join('/');
}

function partIn(part: string, names: Pseudonyms, isPart: IsWord): string {
  if (isPart(part)) return part;
  return /^\d+$/.test(part) ? names.id(part) : names.token(part);
}

const keptParameters: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^(?:metric|metric_type|period|breakdown|timeframe|order)$/, /^(?:[a-z][a-z\d_]*(?:, ?|$))*$/],
  [/^(?:since|until)$/, /^(?:\d{1,10}|\d{4}-\d\d-\d\d(?:T[\d:.]{5,12}(?:Z|[+-]\d{4})?)?)$/],
  [/^limit$/, /^\d{1,6}$/],
  [/^include_headers$/, /^(?:true|false)$/],
];

function parameterOf(name: string, value: string, names: Pseudonyms): string {
  if (keptParameters.some(([of, kept]) => of.test(name) && kept.test(value))) return value;
  if (name === 'fields') return fieldsOf(value, names);
  if (name === 'username') return names.username(value);
  return /^\d+$/.test(value) ? names.id(value) : names.token(value);
}

const modifier = /\.([a-z_]+)\(([^()]*)\)/g;

/** Replaces the arguments of expanded fields: `replies.limit(50).after(…){id}`. */
function fieldsOf(fields: string, names: Pseudonyms): string {
  const words = fields.replaceAll(modifier, '').split(/[{}, ]+/);
  if (!words.every((word) => /^(?:[a-z][a-z\d_]*)?$/.test(word))) return names.token(fields);
  return fields.replaceAll(modifier, (_, name: string, value: string) => {
    return `.${name}(${parameterOf(name, value, names)})`;
  });
}

/** Replaces the ids, cursors and tokens of a link of `paging`; the host is Meta's. */
function linkOf(text: string, names: Pseudonyms, isWord: IsWord): string {
  const url = URL.parse(text);
  if (url === null) return names.text(text);
  const query = [...url.searchParams].map(([name, value]) => {
    const shown = secretParameters.has(name) ? mask : parameterOf(name, value, names);
    return `${keyOf(name, names)}=${shown === mask ? mask : encodeURIComponent(shown)}`;
  });
  const host = url.host === 'graph.instagram.com' ? url.host : 'graph.facebook.com';
  return `https://${host}${pathOf(url.pathname, names, isWord)}?${query.join('&')}`;
}

/** The parts of Instagram's own paths that are no data. */
const keptParts = new Set(['', 'p', 'reel', 'reels', 'tv', 'stories']);

/** Invents a URL by its path alone, because a media's signature and host differ at each request. */
function urlOf(text: string, names: Pseudonyms): string {
  const url = URL.parse(text);
  if (url === null) return names.text(text);
  const parts = url.pathname.split('/').map((part) => {
    if (keptParts.has(part)) return part;
    if (/^\d+$/.test(part)) return names.id(part);
    const extension = /\.[a-z\d]{2,4}$/.exec(part)?.[0] ?? '';
    return names.token(part.slice(0, part.length - extension.length)) + extension;
  });
  return `https://invented.example${parts.join('/')}`;
}

/** The name of a breakdown's place, whose values are Meta's and not a place or a person's. */
const keptDimension =
  /^(?:country|age|gender|timeframe|follow_type|follower_type|media_product_type|contact_button_type|action_type|story_navigation_action_type|surface_type)$/;
const keptDimensionValue = /^(?:[A-Z][A-Z_\d]*|[a-z]+(?:_[a-z]+)*|\d\d-\d\d|\d\d\+)$/;

/** A value of a breakdown: Meta's own is kept, that of a place is replaced. */
function partOf(value: Json, index: number, within: Within): Json {
  const dimension = within.dimensions?.[index];
  if (typeof value !== 'string') return anonymizeValue(value, 'dimension_values', within);
  const isKept = typeof dimension === 'string' && keptDimension.test(dimension);
  return isKept && keptDimensionValue.test(value) ? value : within.names.city(value);
}

const redact = createRedact([]);
const documentation = 'https://developers.facebook.com/';

/** Replaces the ids, URLs, addresses and tokens in a text of Meta's. */
function withoutTraces(text: string, names: Pseudonyms): string {
  return redact(text)
    .replaceAll(/https?:\/\/[^\s"'<>)]+/gi, (url) =>
      url.startsWith(documentation) ? url : urlOf(url, names),
    )
    .replaceAll(/[\w.+-]+@[\w.-]+/g, (address) => names.name(address))
    .replaceAll(/(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{16,}/g, (token) => names.token(token))
    .replaceAll(/\d{8,}/g, (digits) => names.id(digits));
}
