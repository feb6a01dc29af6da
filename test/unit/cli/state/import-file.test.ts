import { describe, expect, test } from '@jest/globals';
import { readImport } from '../../../../src/cli/state/import-file.ts';
import { emptyCheckpoint } from '../../../../src/engine/state.ts';
import { openStateForm } from '../../../../src/registry/index.ts';

const form = openStateForm();
const nowMs = Date.parse('2026-11-25T12:00:00Z');
const state = {
  ...emptyCheckpoint,
  stream: 'media',
  accountId: '17',
  sequence: 4,
  writtenAtMs: 0,
  writtenBy: 'vm',
  pause: null,
} as const;
const format = 'instagram-kafka-state/1';
const line = JSON.stringify({ format, key: 'media/17', state: form.toJson(state) });

describe('an import file', () => {
  test('is an export when its lines have the export format', () => {
    const other = line.replaceAll('"media', '"users');

    expect(readImport(`${line}\n\n${other}\n`, form, nowMs)).toEqual({
      kind: 'export',
      states: [state, { ...state, stream: 'users' }],
    });
  });

  test('may have the suppression list of an account', () => {
    const list = line.replaceAll('"media', '"suppressed');
    expect(readImport(list, form, nowMs)).toMatchObject({ states: [{ stream: 'suppressed' }] });
  });

  test.each([
    ['one document', '{"17": {"date": "2026-11-20T08:00:00Z"}}'],
    ['a document of many lines', '{\n  "17": {\n    "date": "2026-11-20T08:00:00Z"\n  }\n}\n'],
    [
      'a message a line',
      '{"type":"LOG","log":{}}\n{"type":"STATE","state":{"data":{"user_insights":{"17":"2026-11-20T08:00:00Z"}},"type":"LEGACY"}}\n',
    ],
  ])('is a state of Airbyte when it is %s in another format', (_, text) => {
    expect(readImport(text, form, nowMs)).toMatchObject({
      kind: 'airbyte',
      state: { cursors: [{ accountId: '17', cursorMs: Date.parse('2026-11-20T08:00:00Z') }] },
    });
  });

  test.each([
    ['the file is empty: expected what `state export` or Airbyte gives', ''],
    ['the file is not JSON: ', '{"17":'],
    ['line 2: expected JSON', '{"a": 1}\n{"b":\n'],
    ['media/17 is in the file twice', `${line}\n${line}`],
    [`line 2.format: expected "${format}", got null`, `${line}\n{}`],
    ['line 2: expected an object, got list', `${line}\n[]`],
    [`line 1.format: expected "${format}", got "x/2"`, line.replace(format, 'x/2')],
    [
      'line 1.state.stream: got "reels", expected one of stories, ',
      line.replaceAll('media', 'reels'),
    ],
    [
      'line 1.key: expected "media/17", whose state it is, got "media/18"',
      line.replace('"media/17"', '"media/18"'),
    ],
    [
      'line 1: this state could not be read when it was exported',
      JSON.stringify({ format, key: 'a', unreadable: 'why', bytes: '' }),
    ],
    ['line 1.state: expected an object, got null', JSON.stringify({ format, key: 'media/17' })],
  ])('is rejected: %s', (message, text) => {
    expect(() => readImport(text, form, nowMs)).toThrow(
      expect.objectContaining({
        code: 'state.invalid',
        exitCode: 2,
        message: expect.stringContaining(message),
      }),
    );
  });

  test.each(['x\n', '{}\nx\n'])('is rejected in one line when it is %j', (text) => {
    expect(() => readImport(text, form, nowMs)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^[^\n]+$/) }),
    );
  });
});
