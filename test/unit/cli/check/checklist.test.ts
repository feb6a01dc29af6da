import { describe, expect, test } from '@jest/globals';
import {
  type CheckLine,
  type Finding,
  type CheckStep,
  exitCodeFor,
  runSteps,
} from '../../../../src/cli/check/checklist.ts';
import { closing, describeLine } from '../../../../src/cli/check/command.ts';
import { styleFor } from '../../../../src/cli/text.ts';
import { RetryError, StopProcessError } from '../../../../src/engine/errors.ts';

const calm = new AbortController().signal;
const good: Finding = { status: 'ok', detail: 'good' };
const bad: Finding = { status: 'failed', subject: 'b', detail: 'bad', action: 'Mend it.' };

function step(id: string, needs: readonly string[], found: readonly Finding[] | Error): CheckStep {
  return {
    id,
    needs,
    run: () => (found instanceof Error ? Promise.reject(found) : Promise.resolve(found)),
  };
}

async function statuses(steps: readonly CheckStep[]): Promise<readonly string[]> {
  const lines = await runSteps(steps, () => undefined, calm);
  return lines.map(({ id, status, detail }) => `${id} ${status}: ${detail}`);
}

describe('a checklist', () => {
  test('skips what needs a step that failed as a whole, and what needs that', async () => {
    const steps = [
      step('a', [], [bad]),
      step('b', ['a'], [good]),
      step('c', ['b'], [good]),
      step('d', [], [good]),
    ];

    expect(await statuses(steps)).toEqual([
      'a failed: bad',
      'b skipped: needs a',
      'c skipped: needs b',
      'd ok: good',
    ]);
  });

  test('goes on where a part of a step failed, or nothing was to be looked at', async () => {
    const unused: Finding = { status: 'skipped', detail: 'not used' };
    const steps = [
      step('a', [], [good, bad]),
      step('b', ['a'], [unused]),
      step('c', ['b'], []),
      step('d', ['c'], [good]),
    ];

    expect((await statuses(steps)).at(-1)).toBe('d ok: good');
  });

  test('says of an error its code and what to do, without what only a run does', async () => {
    const [line] = await runSteps(
      [step('a', [], new RetryError('registry.unavailable', 'nobody there'))],
      () => undefined,
      calm,
    );

    expect(line).toEqual({
      id: 'a',
      status: 'failed',
      subject: null,
      detail: 'nobody there',
      action: 'Check the registry and SCHEMA_REGISTRY_URL.',
      code: 'registry.unavailable',
    });
  });

  test('tells each line as it comes', async () => {
    const told: CheckLine[] = [];
    const steps = [
      step('a', [], [good]),
      { id: 'b', needs: [], run: () => Promise.resolve([{ ...good, detail: `${told.length}` }]) },
    ];

    await runSteps(steps, (line) => told.push(line), calm);

    expect(told.map(({ detail }) => detail)).toEqual(['good', '1']);
  });

  test('ends with the reason when it is stopped', async () => {
    const stop = new AbortController();
    const stopping: CheckStep = {
      id: 'a',
      needs: [],
      run: () => {
        stop.abort(new Error('stopped'));
        return Promise.reject(new Error('broken off'));
      },
    };

    await expect(runSteps([stopping], () => undefined, stop.signal)).rejects.toThrow('stopped');
  });
});

describe('the exit code of a checklist', () => {
  const config = new StopProcessError('config.invalid', 'too long', { exitCode: 2 });
  const away = new RetryError('kafka.unavailable', 'away');

  test.each([
    ['nothing failed', [step('a', [], [good]), step('b', [], [])], 0],
    ['there are only warnings', [step('a', [], [{ ...bad, status: 'warning' }])], 0],
    ['something outside failed', [step('a', [], away), step('b', [], config)], 3],
    ['only the configuration is to be changed', [step('a', [], config)], 2],
    ['something surprising', [step('a', [], new Error('what?'))], 3],
  ])('when %s', async (_when, steps, code) => {
    expect(exitCodeFor(await runSteps(steps, () => undefined, calm))).toBe(code);
  });
});

describe('a line of a check', () => {
  test('has below it what to do, where it failed or warns', async () => {
    const warning: Finding = { ...bad, status: 'warning', detail: 'not good' };
    const found = [good, bad, warning];
    const lines = await runSteps([step('kafka.tcp', [], found)], () => undefined, calm);
    const style = styleFor({}, {});

    expect(lines.map((line) => describeLine(line, style)).join('')).toBe(
      'ok      kafka.tcp           good\n' +
        'failed  kafka.tcp           b: bad\n' +
        '        Mend it.\n' +
        'warning kafka.tcp           b: not good\n' +
        '        Mend it.\n',
    );
  });
});

describe('the last line of a check', () => {
  test.each([
    ['all is well', [good], 'Everything is as it must be.'],
    ['there is a warning', [good, { ...bad, status: 'warning' }], 'Nothing failed; 1 warning.'],
    ['something failed', [good, bad], '1 of 2 failed.'],
  ] as const)('when %s', async (_when, found, words) => {
    expect(closing(await runSteps([step('a', [], found)], () => undefined, calm))).toBe(words);
  });
});
