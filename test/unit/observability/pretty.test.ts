import { describe, expect, test } from '@jest/globals';
import { type LogFormat, type LogStyle, logStyle } from '../../../src/observability/pretty.ts';
import { openCaptured } from './captured-observability.ts';

const tty = { isTTY: true };

describe('the style of the log', () => {
  test.each<[LogFormat, readonly [object, NodeJS.ProcessEnv], LogStyle]>([
    ['auto', [{}, {}], 'json'],
    ['auto', [tty, {}], 'coloured'],
    ['auto', [tty, { NO_COLOR: '1' }], 'plain'],
    ['auto', [tty, { TERM: 'dumb' }], 'plain'],
    ['json', [tty, {}], 'json'],
    ['pretty', [{}, {}], 'plain'],
  ])('for the format %s and the output %j is %s', (format, [output, env], style) => {
    expect(logStyle(format, output, env)).toBe(style);
  });
});

describe('a log line in plain style', () => {
  test('has the time, the level, the message and the fields', async () => {
    await using open = openCaptured({ style: 'plain' });
    open.setNowMs(Date.UTC(2026, 0, 2, 6, 0, 5, 123));
    open.log.warn(
      { stream: 'users', text: 'two words', n: 3, list: ['a'], none: '' },
      'poll failed',
    );

    expect(open.written()).toBe(
      '06:00:05.123 WARN  poll failed  stream=users  text="two words"  n=3  list=["a"]  none=""\n',
    );
  });

  test('is followed by the stack of an error', async () => {
    await using open = openCaptured({ style: 'plain' });
    open.log.error({ error: new TypeError('no such thing') }, 'http request failed');

    const [first, second] = open.written().split('\n');
    expect(first).toBe('00:00:00.000 ERROR http request failed  error="TypeError: no such thing"');
    expect(second).toMatch(/^ {4}at .*pretty\.test\.ts/);
  });

  test('escapes control characters, so that a value neither steers the terminal nor starts a line', async () => {
    await using open = openCaptured({ style: 'coloured' });
    const bad = '\u001B[2Jgone\n\u009B1m\u202E';
    open.log.info({ bad, '\u001Bname': 1, nested: { bad } }, 'said');

    const written = open.written();
    // Only the escapes of colours remain.
    const escapes = written.split('\u001B').slice(1);
    expect(escapes.filter((text) => !/^\[\d+m/.test(text))).toEqual([]);
    expect(written).not.toMatch(/[\u009B\u202E]/);
    expect(written.split('\n')).toHaveLength(2);
  });

  test('masks a secret (Invariant 9)', async () => {
    await using open = openCaptured({ style: 'plain', secrets: ['hush-hush'] });
    open.log.info({ text: 'a hush-hush b' }, 'said');

    expect(open.written()).toContain('text="a [secret] b"');
  });
});
