import { describe, expect, test } from '@jest/globals';
import { describeLine } from '../../../src/cli/check/command.ts';
import { outputLine } from '../../../src/cli/dry-run.ts';
import { getState, listStates } from '../../../src/cli/state/show.ts';
import type { StateSession } from '../../../src/cli/state/session.ts';
import { jsonLine, textLine } from '../../../src/cli/tail.ts';
import { asTable, styleFor } from '../../../src/cli/text.ts';
import { StopStreamError } from '../../../src/engine/errors.ts';
import { emptyCheckpoint } from '../../../src/engine/state.ts';
import type { TailedRecord } from '../../../src/kafka/index.ts';

/** Control characters that clear a screen (C1), delete or reorder text; JSON escapes none of them. */
const foreign = 'a\u009B2Jb\u007Fc\u202Ed\u2066e\u2028f';
const escaped = 'a\\u009b2Jb\\u007fc\\u202ed\\u2066e\\u2028f';
const style = styleFor({}, {});

const record: TailedRecord = {
  partition: 3,
  offset: '7',
  timestampMs: 0,
  key: null,
  value: Buffer.from('x'),
  headers: {},
};

const foreignKey = { text: `\u001B]0;${foreign}\n`, fields: null };

describe('terminal output of foreign text', () => {
  test('in tail has escaped control characters in keys, values and reasons', () => {
    const read = { kind: 'value', value: { caption: foreign } } as const;
    const broken = { kind: 'unreadable', reason: `\u001B${foreign}` } as const;
    const head = `1970-01-01T00:00:00.000Z 3@7 \\u001b]0;${escaped}\\u000a`;

    expect(textLine({ record, key: foreignKey, read }, style)).toBe(
      `${head} {"caption":"${escaped}"}`,
    );
    expect(textLine({ record, key: foreignKey, read: broken }, style)).toBe(
      `${head} (unreadable: \\u001b${escaped})`,
    );
  });

  test('in tail --json has the characters unchanged', () => {
    const read = { kind: 'value', value: { caption: foreign } } as const;

    expect(jsonLine({ topic: 't', record, key: foreignKey, read })).toContain(
      `"caption":"${foreign}"`,
    );
  });

  test('in dry-run has escaped control characters on a terminal only', () => {
    const line = { topic: 't', key: 'k', headers: {}, value: { text: foreign } };
    const head = '{"topic":"t","key":"k","headers":{},"value":';

    expect(outputLine(line, true)).toBe(`${head}{"text":"${escaped}"}}\n`);
    expect(outputLine(line, false)).toBe(`${head}{"text":"${foreign}"}}\n`);
  });

  test('in check has escaped control characters and keeps line breaks', () => {
    const line = {
      id: 'api.token',
      status: 'ok',
      subject: foreign,
      detail: `${foreign}\nmore`,
      action: `Read ${foreign}.`,
      code: null,
    } as const;

    expect(describeLine(line, style)).toBe(
      `ok      api.token           ${escaped}: ${escaped}\nmore\n        Read ${escaped}.\n`,
    );
  });

  test('in a table has escaped control characters and aligned columns', () => {
    expect(
      asTable([
        ['NAME', 'ID'],
        [`\u001B${foreign}\n`, '1'],
      ]),
    ).toBe(`NAME${' '.repeat(48)}ID\n\\u001b${escaped}\\u000a  1\n`);
  });
});

describe('terminal output of foreign states', () => {
  const key = 'users/17841400000000001';
  const state = { ...emptyCheckpoint, sequence: 1, writtenAtMs: 0, writtenBy: foreign };
  const session = {
    stored: [
      { key, partition: 0, value: Buffer.alloc(0), restored: { kind: 'state', state } },
      {
        key: `\u001B${foreign}`,
        partition: 0,
        value: Buffer.alloc(0),
        restored: { kind: 'unreadable', error: new StopStreamError('state.unreadable', 'odd') },
      },
    ],
    form: { toJson: () => ({ written_by: foreign }) },
  } as unknown as StateSession;

  test('in state list has escaped control characters in keys and names', () => {
    const text = listStates(session, {}, false);

    expect(text).toContain(`\\u001b${escaped}`);
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u202E/u);
  });

  test('in state get has escaped control characters in values, unless with --json', () => {
    expect(getState(session, key, false)).toBe(`{\n  "written_by": "${escaped}"\n}\n`);
    expect(getState(session, key, true)).toBe(`{\n  "written_by": "${foreign}"\n}\n`);
  });
});
