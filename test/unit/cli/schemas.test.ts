import { describe, expect, test } from '@jest/globals';
import {
  describeDifferences,
  isFit,
  listFindings,
  schemaStatus,
} from '../../../src/cli/schemas.ts';
import type { SubjectFinding } from '../../../src/registry/index.ts';

const fresh: SubjectFinding = {
  role: 'media',
  account: null,
  subject: 'instagram.media-value',
  versions: [],
  level: null,
  id: null,
  mode: null,
  incompatible: null,
  differences: [],
};
const registered: SubjectFinding = { ...fresh, versions: [1, 3], level: 'FULL', id: 7 };
const older: SubjectFinding = { ...registered, id: null };
const blocked: SubjectFinding = { ...fresh, mode: 'READONLY' };
const importing: SubjectFinding = { ...older, mode: 'IMPORT' };
const bad: SubjectFinding = { ...older, incompatible: 'registry says no' };

describe('the status of a schema', () => {
  test.each([
    [fresh, 'register', 'new', true],
    [fresh, 'verify', 'missing', false],
    [older, 'register', 'compatible', true],
    [older, 'verify', 'missing', false],
    [registered, 'register', 'registered', true],
    [registered, 'verify', 'registered', true],
    [{ ...fresh, mode: 'READWRITE' }, 'register', 'new', true],
    [blocked, 'register', 'blocked', false],
    [importing, 'register', 'blocked', false],
    [{ ...registered, mode: 'READONLY' }, 'register', 'registered', true],
    [bad, 'register', 'incompatible', false],
    [bad, 'verify', 'incompatible', false],
  ] as const)(
    'is the result that a start would have: case %#',
    (...[finding, mode, word, fits]) => {
      expect(schemaStatus(finding, mode)).toBe(word);
      expect(isFit(finding, mode)).toBe(fits);
    },
  );

  test('is listed in one line, with the reasons below the table', () => {
    expect(listFindings([registered, bad], 'register')).toBe(
      'SUBJECT                VERSIONS  LEVEL  ID  STATUS\n' +
        'instagram.media-value  1,3       FULL   7   registered\n' +
        'instagram.media-value  1,3       FULL   -   INCOMPATIBLE\n' +
        '\nregistry says no\n',
    );
  });
});

describe('the differences of a schema', () => {
  test('are listed in one line per field', () => {
    const differences = [
      { field: 'size', before: null, after: 'null or long', has_default: true },
      { field: 'key', before: null, after: 'string', has_default: false },
      { field: 'kind', before: 'string', after: 'long', has_default: false },
      { field: 'old', before: 'string', after: null, has_default: false },
    ];

    expect(describeDifferences([{ ...older, differences }, registered, fresh])).toBe(
      'instagram.media-value: against version 3\n' +
        '  + size: null or long\n' +
        '  + key: string, without a default\n' +
        '  ~ kind: string -> long\n' +
        '  - old: string, without a default\n' +
        'instagram.media-value: same fields as version 3\n' +
        'instagram.media-value: is not registered yet\n',
    );
  });
});
