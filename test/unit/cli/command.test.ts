import { describe, expect, test } from '@jest/globals';
import { describeError, exitCodeOf } from '../../../src/cli/command.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import {
  DeadLetterError,
  RetryError,
  SkipError,
  StopAccountError,
  StopProcessError,
  StopStreamError,
  WaitError,
} from '../../../src/engine/errors.ts';

const scope = { kind: 'app', id: '' } as const;

describe('exitCodeOf', () => {
  test('is 1 for an unexpected error', () => {
    expect(exitCodeOf(new TypeError('x is not a function'))).toBe(1);
    expect(exitCodeOf('thrown text')).toBe(1);
    expect(exitCodeOf(undefined)).toBe(1);
  });

  test('is 2 for an invalid configuration', () => {
    expect(exitCodeOf(new ConfigError([]))).toBe(2);
  });

  for (const exitCode of [1, 2, 3] as const) {
    test(`is ${exitCode} for a StopProcessError with that exit code`, () => {
      expect(exitCodeOf(new StopProcessError('kafka.unauthorized', 'no', { exitCode }))).toBe(
        exitCode,
      );
    });
  }

  for (const error of [
    new RetryError('kafka.unavailable', 'away'),
    new WaitError('graph.rate-limited', 'later', { scope, retryAfterMs: 1000 }),
    new SkipError('graph.metric-refused', 'not that'),
    new DeadLetterError('mapping.invalid', 'odd', { path: '', raw: '' }),
    new StopStreamError('graph.permission', 'not allowed'),
    new StopAccountError('graph.token', 'expired'),
  ]) {
    test(`is 3 for an error with the disposition ${error.disposition}`, () => {
      expect(exitCodeOf(error)).toBe(3);
    });
  }
});

describe('describeError', () => {
  test('returns code and message without a stack for an error of this program', () => {
    expect(describeError(new RetryError('registry.unavailable', 'the registry is away'))).toBe(
      'registry.unavailable: the registry is away',
    );
  });

  test('returns the stack of an unexpected error', () => {
    const error = new TypeError('x is not a function');

    expect(describeError(error)).toBe(error.stack);
    expect(describeError(error)).toMatch(/^TypeError: x is not a function\n +at /);
  });

  test('returns the message of an unexpected error without a stack', () => {
    const error = new Error('bare');
    delete error.stack;

    expect(describeError(error)).toBe('bare');
  });

  test('returns a thrown text', () => {
    expect(describeError('thrown text')).toBe('thrown text');
  });
});
