import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { openCaptured } from '../unit/observability/captured-observability.ts';
import { everyEvent, examplesOfEvents } from './every-event.ts';
import { expectGolden, sorted } from './golden.ts';
import { sourceNodes } from './source-text.ts';

const nodes = [...sourceNodes()];
const levels = ['debug', 'info', 'warn', 'error'];

/** The event types, read from their declaration. */
function declaredTypes(): readonly string[] {
  const facts = nodes
    .filter(ts.isInterfaceDeclaration)
    .find(({ name }) => name.text === 'EventFacts');
  return (facts?.members ?? []).flatMap(({ name }) =>
    name !== undefined && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? [name.text] : [],
  );
}

/** The lines that the event log writes for every event: level, message, fields; and the common fields. */
async function linesOfEvents(): Promise<readonly string[]> {
  await using open = openCaptured();
  for (const event of everyEvent) open.telemetry.report(event);
  return open.lines().map(({ level, time, msg, version, instance, ...fields }) => {
    expect([typeof time, version, instance]).toEqual(['string', '1.2.3', 'here']);
    return lineOf(String(level), String(msg), sorted(Object.keys(fields)));
  });
}

function lineOf(level: string, message: string, fields: readonly string[]): string {
  return `${level.padEnd(5)} ${message}: ${fields.join(', ')}`;
}

/** A message in the source; `…` stands for an expression. */
function textOf(node: ts.Node): readonly string[] {
  if (ts.isStringLiteral(node)) return [node.text];
  return ts.isTemplateExpression(node) ? [`${node.head.text}…`] : [];
}

function namesOf(fields: ts.Node | undefined): readonly string[] {
  if (fields === undefined || !ts.isObjectLiteralExpression(fields)) return ['…'];
  return sorted(fields.properties.map((field) => field.name?.getText() ?? '…'));
}

const isLog = /(?:^|\.)(?:log|warn)$|\blog\??\.(?:debug|info|error)$/;

/** The messages of other log calls, with their fields. */
function linesOfCalls(): readonly string[] {
  return nodes.filter(ts.isCallExpression).flatMap((call) => {
    const callee = call.expression.getText();
    const texts = call.arguments.flatMap(textOf);
    const level = [callee.split('.').at(-1) ?? '', ...texts].find((text) => levels.includes(text));
    const message = texts.find((text) => !levels.includes(text));
    if (message === undefined || !isLog.test(callee)) return [];
    const fields = call.arguments.find(ts.isObjectLiteralExpression);
    return [lineOf(level ?? 'any', message, namesOf(fields))];
  });
}

/** The lines that are created in one place and logged in another: `{ message: '…', fields }`. */
function linesOfObjects(): readonly string[] {
  return nodes.filter(ts.isObjectLiteralExpression).flatMap(({ properties }) => {
    const [message, fields] = ['message', 'fields'].map((name) =>
      properties.find((property) => property.name?.getText() === name),
    );
    if (message === undefined || !ts.isPropertyAssignment(message) || !fields) return [];
    const value = ts.isPropertyAssignment(fields) ? fields.initializer : undefined;
    return textOf(message.initializer).map((text) => lineOf('any', text, namesOf(value)));
  });
}

describe('log', () => {
  test('has an example of every event type', () => {
    expect(Object.keys(examplesOfEvents).sort()).toEqual([...declaredTypes()].sort());
  });

  test('writes the messages and fields of the golden file', async () => {
    const ofEvents = await linesOfEvents();
    const messageOf = (line: string) => line.slice(6).split(':')[0];
    const known = new Set(ofEvents.map(messageOf));

    expectGolden('log', [
      '# of events',
      ...sorted(ofEvents),
      '# of anything else',
      ...sorted(
        [...linesOfCalls(), ...linesOfObjects()].filter((line) => !known.has(messageOf(line))),
      ),
    ]);
  });
});
