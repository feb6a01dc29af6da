import { describe, expect, test } from '@jest/globals';
import {
  DeadLetterError,
  errorCodes,
  isClassifiedError,
  RetryError,
  SkipError,
  StopAccountError,
  StopProcessError,
  StopStreamError,
  WaitError,
} from '../../../src/engine/errors.ts';

const cause = new Error('below');
const scope = { kind: 'app', id: '' } as const;

describe('the error classes', () => {
  test.each([
    ['RetryError', 'retry', new RetryError('graph.server', 'm', { retryAfterMs: 5, cause })],
    ['WaitError', 'wait', new WaitError('graph.rate-limited', 'm', { scope, retryAfterMs: 5 })],
    ['SkipError', 'skip', new SkipError('graph.gone', 'm', ['1'])],
    [
      'DeadLetterError',
      'dead-letter',
      new DeadLetterError('mapping.invalid', 'm', { path: 'a', raw: 'b' }),
    ],
    ['StopStreamError', 'stop-stream', new StopStreamError('graph.permission', 'm', { cause })],
    ['StopAccountError', 'stop-account', new StopAccountError('graph.token', 'm', { cause })],
    [
      'StopProcessError',
      'stop-process',
      new StopProcessError('config.invalid', 'm', { exitCode: 2 }),
    ],
  ])('give %s the disposition %s', (_name, disposition, error) => {
    expect(error.disposition).toBe(disposition);
    expect(error.message).toBe('m');
    expect(error.name).toBe(error.constructor.name);
    expect(isClassifiedError(error)).toBe(true);
  });

  test('keep the cause', () => {
    expect(new RetryError('graph.server', 'm', { cause }).cause).toBe(cause);
    expect(new StopProcessError('kafka.unauthorized', 'm', { exitCode: 3, cause }).cause).toBe(
      cause,
    );
  });

  test('give a StopProcessError exit code 3 by default', () => {
    expect(new StopProcessError('accounts.none', 'm').exitCode).toBe(3);
  });

  test.each([
    ['another Error', cause],
    ['a text', 'text'],
    ['undefined', undefined],
    ['an object with a disposition', { disposition: 'retry' }],
  ])('exclude %s', (_name, error) => {
    expect(isClassifiedError(error)).toBe(false);
  });

  test('use codes of the form area.reason that are sorted and unique', () => {
    expect(errorCodes.filter((code) => !/^[a-z]+\.[a-z]+(-[a-z]+)*$/.test(code))).toEqual([]);
    expect([...new Set(errorCodes)].sort()).toEqual([...errorCodes]);
  });
});
