import { graphError } from './errors.ts';

/** One requested field: `media.limit(5){id,caption}`. */
export interface FieldRequest {
  readonly name: string;
  /** The key of the answer: the name, or the argument of `.as(…)`. */
  readonly key: string;
  /** The modifiers, as `limit` → `5`. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly fields?: readonly FieldRequest[];
  /** The text between the braces. */
  readonly fieldsText?: string;
}

interface Scanner {
  readonly text: string;
  at: number;
}

/**
 * Parses the value of `fields`: names, modifiers `.metric(a,b)`, nested `{…}`; spaces are
 * tolerated. Throws Meta's syntax error (code 2500) with the position.
 */
export function parseFields(text: string): FieldRequest[] {
  const scanner: Scanner = { text, at: 0 };
  const fields = parseList(scanner);
  if (scanner.at < text.length) {
    throw syntaxError(scanner, `Expected end of string instead of "${text.charAt(scanner.at)}".`);
  }
  return fields;
}

function parseList(scanner: Scanner): FieldRequest[] {
  const fields: FieldRequest[] = [];
  const seen = new Set<string>();
  do {
    const field = parseField(scanner);
    if (seen.has(field.key)) {
      throw syntaxError(
        scanner,
        `Field ${field.key} specified more than once. This is only possible before version 2.1`,
      );
    }
    seen.add(field.key);
    fields.push(field);
  } while (take(scanner, ','));
  return fields;
}

function parseField(scanner: Scanner): FieldRequest {
  const name = parseName(scanner);
  const parameters = new Map<string, string>();
  let nested: { fields: FieldRequest[]; fieldsText: string } | undefined;
  for (;;) {
    if (take(scanner, '.')) {
      parameters.set(parseName(scanner), parseArguments(scanner));
    } else if (take(scanner, '{')) {
      const start = scanner.at;
      const fields = parseList(scanner);
      nested = { fields, fieldsText: scanner.text.slice(start, scanner.at).trim() };
      expect(scanner, '}');
    } else {
      break;
    }
  }
  const key = parameters.get('as') ?? name;
  parameters.delete('as');
  return { name, key, parameters, ...nested };
}

function parseName(scanner: Scanner): string {
  skipSpaces(scanner);
  const name = /^\w+/.exec(scanner.text.slice(scanner.at))?.[0];
  if (name === undefined) {
    throw syntaxError(scanner, 'Expected name.');
  }
  scanner.at += name.length;
  return name;
}

function parseArguments(scanner: Scanner): string {
  expect(scanner, '(');
  const end = scanner.text.indexOf(')', scanner.at);
  if (end === -1) {
    scanner.at = scanner.text.length;
    throw syntaxError(scanner, 'Expected ")" instead of end of string.');
  }
  const value = scanner.text.slice(scanner.at, end).trim();
  scanner.at = end + 1;
  return value;
}

function take(scanner: Scanner, character: string): boolean {
  skipSpaces(scanner);
  if (scanner.text.charAt(scanner.at) !== character) {
    return false;
  }
  scanner.at += 1;
  return true;
}

function expect(scanner: Scanner, character: string): void {
  if (!take(scanner, character)) {
    const found = scanner.text.charAt(scanner.at);
    const instead = found === '' ? 'end of string' : `"${found}"`;
    throw syntaxError(scanner, `Expected "${character}" instead of ${instead}.`);
  }
}

function skipSpaces(scanner: Scanner): void {
  while (/\s/.test(scanner.text.charAt(scanner.at))) {
    scanner.at += 1;
  }
}

function syntaxError(scanner: Scanner, expected: string): Error {
  return graphError('syntax', expected, scanner.at, scanner.text);
}
