import { ACCESS_ROWS } from './error-rows-access.ts';
import { REQUEST_ROWS } from './error-rows-request.ts';
import type { ErrorRow } from './error-row.ts';
import { type Locale, TRANSLATIONS } from './error-translations.ts';
import type { Json, JsonObject } from './json.ts';

const ROWS = { ...REQUEST_ROWS, ...ACCESS_ROWS };

/** A name in the table of errors. */
export type ErrorName = keyof typeof ROWS;

/** An error in Meta's wording: an HTTP status and the body's `error`, without its trace id. */
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

/** Creates the error of a row; the values replace its message's placeholders in order. */
export function graphError(name: ErrorName, ...values: readonly (string | number)[]): GraphError {
  return new GraphError(name, values);
}

/** Every name of the table, in its order. */
export const errorNames = Object.keys(ROWS) as readonly ErrorName[];

/** True when the table has an error of that name. */
export function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ROWS, name);
}

/** The wording of an error: the host of the caller's token, and the caller's language. */
export interface Wording {
  readonly dialect: 'facebook' | 'instagram';
  /** Undefined: English. */
  readonly locale: Locale | undefined;
}

/**
 * Words an error for the caller: `graph.instagram.com` has its own type and omits the `(#100) ` of
 * media insights; the user's message is in the user's language.
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
