import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type Progress, createProgress } from '../../../sandbox/progress.ts';

describe('progress of a start', () => {
  let lines: string[];
  let progress: Progress;

  beforeEach(() => {
    jest.useFakeTimers();
    lines = [];
    progress = createProgress((line) => lines.push(line));
  });

  afterEach(() => {
    progress[Symbol.dispose]();
    jest.useRealTimers();
  });

  test('prints each step with the seconds since the beginning', () => {
    progress.log('first');
    jest.advanceTimersByTime(1234);
    progress.log('second');

    expect(lines).toEqual(['  0.0 s  first', '  1.2 s  second']);
  });

  test('prints a line about a step that runs for longer than five seconds, again after each five', () => {
    jest.advanceTimersByTime(2000);
    progress.log('slow');
    jest.advanceTimersByTime(10_000);

    expect(lines).toEqual([
      '  2.0 s  slow',
      '  7.0 s  … for 5 s: slow',
      ' 12.0 s  … for 10 s: slow',
    ]);
  });

  test('prints no such line while other output comes, nor after its end', () => {
    progress.log('slow');
    jest.advanceTimersByTime(4000);
    progress.postpone();
    jest.advanceTimersByTime(4000);
    progress[Symbol.dispose]();
    jest.advanceTimersByTime(60_000);

    expect(lines).toEqual(['  0.0 s  slow']);
  });
});
