import { ACCESS_ROWS } from './error-rows-access.ts';
import { REQUEST_ROWS } from './error-rows-request.ts';
import type { ErrorRow } from './error-row.ts';
import { type Locale, TRANSLATIONS } from './error-translations.ts';
import type { Json, JsonObject } from './json.ts';

const ROWS = { ...REQUEST_ROWS, ...ACCESS_ROWS };

/** A name of the table of errors. */
export type ErrorName = keyof typeof ROWS;

/** A refusal in Meta's words: an HTTP status and the body's `error`, but for its trace id. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly row: ErrorName;
  readonly status: number;
  readonly code: number;
  readonly error: JsonObject;

  constructor(name: ErrorName, values: readonly (string | number)[]) {
    const row: ErrorRow = ROWS[name];
    const message = fill(row.message, values);
    super(message);
    this.row = name;
    this.status = row.status;
    this.code = row.code;
    this.error = {
      message,
      type: row.type ?? 'OAuthException',
      code: row.code,
      ...present('error_data', row.blame === true ? { blame_field_specs: [['']] } : undefined),
      ...present('error_subcode', row.subcode),
      ...present('is_transient', row.transient),
      ...present('error_user_title', row.title),
      ...present('error_user_msg', row.userMessage && fill(row.userMessage, values)),
    };
  }
}

function fill(text: string, values: readonly (string | number)[]): string {
  return text.replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)] ?? ''));
}

function present(key: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [key]: value };
}

/** Makes the error of that row; the values fill its message's places in order. */
export function graphError(name: ErrorName, ...values: readonly (string | number)[]): GraphError {
  return new GraphError(name, values);
}

/** Every name of the table, in its order. */
export const errorNames = Object.keys(ROWS) as readonly ErrorName[];

/** Whether the table has an error of that name. */
export function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ROWS, name);
}

/** How an error is worded: by the host of the caller's token, and in the caller's language. */
export interface Wording {
  readonly dialect: 'facebook' | 'instagram';
  /** Undefined: English. */
  readonly locale: Locale | undefined;
}

/**
 * The error as the caller gets it: `graph.instagram.com` has its own type, and drops the `(#100) `
 * of media insights; what is meant for the user comes in the user's language.
 */
export function wordError(error: GraphError, { dialect, locale }: Wording): JsonObject {
  const translated = { ...error.error, ...translation(error, locale) };
  const row: ErrorRow = ROWS[error.row];
  if (dialect === 'facebook' || error.code === 190 || row.onBothHosts === true) {
    return translated;
  }
  if (row.plainOnInstagram === true) {
    return {
      message: translated['error_user_msg'] ?? error.message,
      type: 'IGApiException',
      code: error.code,
      ...present('error_subcode', row.subcode),
    };
  }
  return {
    ...translated,
    message: error.message.replace(/^\(#100\) (?=The Media Insights API)/, ''),
    type: 'IGApiException',
  };
}

function translation(error: GraphError, locale: Locale | undefined): JsonObject {
  const words = locale && TRANSLATIONS[error.row]?.[locale];
  return words && 'error_user_title' in error.error
    ? { error_user_title: words.title, error_user_msg: words.message }
    : {};
}
