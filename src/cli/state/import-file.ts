import { type Json, type Node, describeJson, isNode } from '../../engine/json.ts';
import { type StreamState, stateKey } from '../../engine/state.ts';
import { suppressionName } from '../../engine/suppression.ts';
import { isStreamName, streamNames } from '../../instagram/streams/index.ts';
import type { StateForm } from '../../registry/index.ts';
import { type AirbyteState, readAirbyteState } from './airbyte-state.ts';
import { exportFormat } from './show.ts';
import { rejectState } from './state-change.ts';

export type Imported =
  | { readonly kind: 'export'; readonly states: readonly StreamState[] }
  | { readonly kind: 'airbyte'; readonly state: AirbyteState };

/** Detects whether a text is of `state export` or Airbyte. @throws StopProcessError `state.invalid` */
export function readImport(text: string, form: StateForm, nowMs: number): Imported {
  const documents = parse(text);
  const ours = documents.some((document) => isNode(document) && document['format'] !== undefined);
  if (ours) return { kind: 'export', states: readExport(documents, form) };
  const [only, ...more] = documents;
  // A file with one message per line is a list of messages.
  const document = more.length === 0 ? (only ?? null) : documents;
  return { kind: 'airbyte', state: readAirbyteState(document, nowMs) };
}

/** Parses one JSON document, or one per line. */
function parse(text: string): readonly Json[] {
  if (text.trim() === '') {
    rejectState('the file is empty: expected what `state export` or Airbyte gives');
  }
  try {
    return [JSON.parse(text) as Json];
  } catch (error) {
    const lines = text.split('\n').map((line, index) => ({ line, number: index + 1 }));
    const filled = lines.filter(({ line }) => line.trim() !== '');
    if (filled.length === 1) rejectState(`the file is not JSON: ${oneLine(error)}`);
    return filled.map(({ line, number }) => parseLine(line, number));
  }
}

function parseLine(line: string, number: number): Json {
  try {
    return JSON.parse(line) as Json;
  } catch (error) {
    return rejectState(
      `line ${number}: expected JSON (the file is not one JSON document, so each line must be): ` +
        oneLine(error),
    );
  }
}

/** The parser's message quotes the file, line breaks included. */
function oneLine(error: unknown): string {
  return (error as Error).message.replaceAll(/\s+/g, ' ');
}

function readExport(documents: readonly Json[], form: StateForm): readonly StreamState[] {
  const states = documents.map((document, index) => readEntry(document, `line ${index + 1}`, form));
  const keys = states.map(({ stream, accountId }) => stateKey(stream, accountId));
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) rejectState(`${twice} is in the file twice: leave one of them`);
  return states;
}

function readEntry(document: Json, place: string, form: StateForm): StreamState {
  const entry: Node = isNode(document)
    ? document
    : rejectState(`${place}: expected an object, got ${describeJson(document)}`);
  const { format = null, key: named = null } = entry;
  if (format !== exportFormat) {
    rejectState(`${place}.format: expected "${exportFormat}", got ${JSON.stringify(format)}`);
  }
  if (entry['unreadable'] !== undefined) {
    rejectState(`${place}: this state could not be read when it was exported; leave it out`);
  }
  const state = form.fromJson(entry['state'] ?? null, `${place}.state`);
  const key = stateKey(state.stream, state.accountId);
  if (!isStreamName(state.stream) && state.stream !== suppressionName) {
    rejectState(
      `${place}.state.stream: got "${state.stream}", expected one of ${streamNames.join(', ')}`,
    );
  }
  if (named === key) return state;
  const got = JSON.stringify(named);
  return rejectState(`${place}.key: expected "${key}", whose state it is, got ${got}`);
}
