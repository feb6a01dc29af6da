import { type JsonObject, isObject } from '../json.ts';
import {
  type Reader,
  readBoolean,
  readInteger,
  readList,
  readMembers,
  readOneOf,
  readText,
  ShapeError,
} from '../shape.ts';

/** The fields of Meta's object `instagram` that the simulator sends. */
export const WEBHOOK_FIELDS = ['comments', 'live_comments', 'mentions', 'story_insights'] as const;

/** The webhooks of the callers' app. What no source records is a switch. */
export interface WebhookSettings {
  /** The address that receives; null: nothing is sent. */
  readonly callbackUrl: string | null;
  /** The token of the handshake with a new address; null: no handshake. */
  readonly verifyToken: string | null;
  /** The fields that are selected in the app's dashboard. */
  readonly fields: readonly string[];
  /** True when accounts receive without a subscription of their own. */
  readonly subscribeAll: boolean;
  /** True when an account receives the fields of its own subscription only. */
  readonly fieldsPerAccount: boolean;
  /** The names that the edge of a page accepts: of pages, as observed, or of Instagram too. */
  readonly pageFields: 'page' | 'any';
  /** Entries with `changes`, with one field and value, or with the names of fields alone. */
  readonly shape: 'changes' | 'flat' | 'names';
  /** The unit of an entry's time. */
  readonly time: 's' | 'ms';
  /** The name of a comment's id. */
  readonly commentId: 'id' | 'comment_id';
  /** True when a story that was deleted before its end is reported too. */
  readonly deletedStories: boolean;
  /** The time from the end of a story to its report, on the world's clock. */
  readonly storyDelayMs: number;
  /** The most changes in a request. */
  readonly batch: number;
  /** The time before each request, real. */
  readonly delayMs: number;
  /** The further deliveries of a request that was accepted. */
  readonly repeat: number;
  /** True: the newest change is sent first. */
  readonly reorder: boolean;
  /** Sends a forged request before each real one. */
  readonly forge: 'none' | 'secret' | 'unsigned' | 'altered';
  /** The wait before the second repetition, real; it doubles each time. The first is at once. */
  readonly retryMs: number;
  /** The time from the first try to the last one, real. */
  readonly retryForMs: number;
  /** The time limit of an answer, real. */
  readonly timeoutMs: number;
}

const HOUR_MS = 3_600_000;

/** The settings of a new world. */
export const FIRST_SETTINGS: WebhookSettings = {
  callbackUrl: null,
  verifyToken: null,
  fields: WEBHOOK_FIELDS,
  subscribeAll: false,
  fieldsPerAccount: false,
  pageFields: 'page',
  shape: 'changes',
  time: 's',
  commentId: 'id',
  deletedStories: false,
  storyDelayMs: 0,
  batch: 1000,
  delayMs: 0,
  repeat: 0,
  reorder: false,
  forge: 'none',
  retryMs: 1000,
  retryForMs: 36 * HOUR_MS,
  // Meta documents no timeout for Instagram. Longer than the program's receiver takes for its 503.
  timeoutMs: 30_000,
};

const readTextOrNull: Reader<string | null> = (value, path) =>
  value === null ? null : readText(value, path);

/** Reads changes of the settings; throws a `ShapeError` that names the path. */
export function readSettings(value: unknown): Partial<WebhookSettings> {
  return readMembers<WebhookSettings>({
    callbackUrl: readTextOrNull,
    verifyToken: readTextOrNull,
    fields: readList(readText),
    subscribeAll: readBoolean,
    fieldsPerAccount: readBoolean,
    pageFields: readOneOf(['page', 'any']),
    shape: readOneOf(['changes', 'flat', 'names']),
    time: readOneOf(['s', 'ms']),
    commentId: readOneOf(['id', 'comment_id']),
    deletedStories: readBoolean,
    storyDelayMs: readInteger(0),
    batch: readInteger(1),
    delayMs: readInteger(0),
    repeat: readInteger(0),
    reorder: readBoolean,
    forge: readOneOf(['none', 'secret', 'unsigned', 'altered']),
    retryMs: readInteger(0),
    retryForMs: readInteger(0),
    timeoutMs: readInteger(1),
  })(value, '');
}

/** A change of the world to report. */
export interface WebhookEvent {
  readonly accountId: string;
  readonly field: string;
  readonly value: JsonObject;
}

/** A request to send: what happened since a time, what was sent before, or these changes. */
export interface WebhookOrder {
  /** The start of the time whose changes are sent; its end is now. */
  readonly since: number;
  /** True: sends again all that was accepted. */
  readonly again: boolean;
  /** Sent as they are, whatever the subscriptions. */
  readonly changes: readonly WebhookEvent[];
}

const readSince: Reader<number> = (value, path) => {
  const atMs = Date.parse(readText(value, path));
  if (Number.isNaN(atMs)) return readInteger(0)(value, path);
  return atMs;
};

const readObject: Reader<JsonObject> = (value, path) => {
  if (!isObject(value)) throw new ShapeError(path, value, 'an object');
  return value;
};

const readEvent: Reader<WebhookEvent> = (value, path) => {
  const read = readMembers<{ account: string; field: string; value: JsonObject }>({
    account: readText,
    field: readText,
    value: readObject,
  })(value, path);
  return { accountId: read.account ?? '0', field: read.field ?? '', value: read.value ?? {} };
};

/** Reads an order; throws a `ShapeError` that names the path. */
export function readOrder(value: unknown): Partial<WebhookOrder> {
  return readMembers<WebhookOrder>({
    since: readSince,
    again: readBoolean,
    changes: readList(readEvent),
  })(value, '');
}
