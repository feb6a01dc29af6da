import { describe, expect, test } from '@jest/globals';
import {
  type CheckLine,
  type Finding,
  type CheckStep,
  exitCodeFor,
  runStep,
  runSteps,
} from '../../../../src/cli/check/checklist.ts';
import { closing, describeLine } from '../../../../src/cli/check/command.ts';
import { styleFor } from '../../../../src/cli/text.ts';
import { RetryError, StopProcessError, WaitError } from '../../../../src/engine/errors.ts';

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
  test('skips the steps that need a failed step, directly or indirectly', async () => {
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

  test('runs a step when a needed step failed in part or found nothing', async () => {
    const unused: Finding = { status: 'skipped', detail: 'not used' };
    const steps = [
      step('a', [], [good, bad]),
      step('b', ['a'], [unused]),
      step('c', ['b'], []),
      step('d', ['c'], [good]),
    ];

    expect((await statuses(steps)).at(-1)).toBe('d ok: good');
  });

  test('reports an error with its code and advice, without the advice that holds for a run only', async () => {
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

  test('reports the time after which a limit ends', async () => {
    const limit = new WaitError('graph.rate-limited', 'too many calls', {
      scope: { kind: 'app', id: '' },
      retryAfterMs: 290_000,
    });
    const [line] = await runSteps([step('a', [], limit)], () => undefined, calm);

    expect(line).toMatchObject({
      status: 'failed',
      action:
        'The limit of the API is reached; the configuration is not the cause. Run check again in 5 min.',
    });
  });

  test('ends a step that does not end by itself, even if the step ignores its signal', async () => {
    const signals: AbortSignal[] = [];
    const hang = (signal: AbortSignal) => {
      signals.push(signal);
      return Promise.withResolvers<never>().promise;
    };

    expect(await runStep(hang, calm, 20)).toMatchObject([
      { status: 'failed', detail: 'did not end within 0.02 s' },
    ]);
    expect(signals[0]?.aborted).toBe(true);
  });

  test('reports each line as soon as it is known', async () => {
    const told: CheckLine[] = [];
    const steps = [
      step('a', [], [good]),
      { id: 'b', needs: [], run: () => Promise.resolve([{ ...good, detail: `${told.length}` }]) },
    ];

    await runSteps(steps, (line) => told.push(line), calm);

    expect(told.map(({ detail }) => detail)).toEqual(['good', '1']);
  });

  test('rejects with the abort reason when it is aborted', async () => {
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

  test.each<[number, string, readonly CheckStep[]]>([
    [0, 'nothing failed', [step('a', [], [good]), step('b', [], [])]],
    [0, 'there are only warnings', [step('a', [], [{ ...bad, status: 'warning' }])]],
    [3, 'an external system failed', [step('a', [], away), step('b', [], config)]],
    [2, 'only the configuration is invalid', [step('a', [], config)]],
    [3, 'a step failed unexpectedly', [step('a', [], new Error('what?'))]],
  ])('is %d when %s', async (code, _when, steps) => {
    expect(exitCodeFor(await runSteps(steps, () => undefined, calm))).toBe(code);
  });
});

describe('a line of a check', () => {
  test('is followed by the advice when it is a failure or a warning', async () => {
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
    ['every step is ok', [good], 'Everything is as it must be.'],
    ['there is a warning', [good, { ...bad, status: 'warning' }], 'Nothing failed; 1 warning.'],
    ['a step failed', [good, bad], '1 of 2 failed.'],
  ] as const)('states the result when %s', async (_when, found, words) => {
    expect(closing(await runSteps([step('a', [], found)], () => undefined, calm))).toBe(words);
  });
});
