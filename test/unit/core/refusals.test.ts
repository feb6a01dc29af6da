import { describe, expect, it } from '@jest/globals';
import { afterTrial, trialsOf, turnOf } from '../../../src/core/refusals.ts';
import { emptyMemory } from '../../../src/core/state.ts';
import type { Memory, Refusal } from '../../../src/core/state.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-01T12:00:00Z');

const listed = (id: string, kind = 'FEED/IMAGE') => ({ id, kind, createdMs: null });

/** A refusal that is over, but for `changes`. */
const over = (subject: string, changes: Partial<Refusal> = {}): Refusal => ({
  subject,
  metric: 'shares',
  reason: 'graph.metric-refused',
  untilMs: NOW - DAY,
  ...changes,
});

const remembering = (...refusals: readonly Refusal[]): Memory => ({ ...emptyMemory, refusals });

describe('turnOf', () => {
  it('is one for all media that refuse a metric, and its own for every other', () => {
    const memory = remembering(
      over('1'),
      over('2', { metric: 'saved' }),
      over('3', { metric: null }),
    );

    expect(['1', '2'].map((id) => turnOf(listed(id), memory))).toEqual(['refusing', 'refusing']);
    expect(['3', '4'].map((id) => turnOf(listed(id), memory))).toEqual(['3', '4']);
  });
});

describe('trialsOf', () => {
  it('is one media for each kind and metric whose refusal is over', () => {
    const memory = remembering(over('1'), over('2'), over('3', { metric: 'saved' }), over('4'));
    const due = [listed('1'), listed('2'), listed('3'), listed('4', 'REELS/VIDEO')];

    const trials = trialsOf(due, memory, NOW);

    expect(trials.map(({ metric, subjects }) => [metric, subjects])).toEqual([
      ['shares', ['1', '2']],
      ['saved', ['3']],
      ['shares', ['4']],
    ]);
    expect(['1', '2']).toContain(trials[0]?.listed.id);
  });

  it('draws another media in time, so that none keeps the others from being tried', () => {
    const memory = remembering(over('1'), over('2'));
    const due = [listed('1'), listed('2')];
    const drawn = Array.from(
      { length: 20 },
      (_, week) => trialsOf(due, memory, NOW + week * 7 * DAY)[0]?.listed.id,
    );

    expect(new Set(drawn)).toEqual(new Set(['1', '2']));
  });

  it('takes any media of a kind that refuses as a whole', () => {
    const trials = trialsOf([listed('7')], remembering(over('FEED/IMAGE')), NOW);

    expect(trials).toEqual([{ listed: listed('7'), metric: 'shares', subjects: ['FEED/IMAGE'] }]);
  });

  it('is none while refusals hold, for media that are not due and for whole media', () => {
    const memory = remembering(
      over('1', { untilMs: NOW + 1 }),
      over('2'),
      over('3', { metric: null }),
    );

    expect(trialsOf([listed('1'), listed('3')], memory, NOW)).toEqual([]);
  });
});

describe('afterTrial', () => {
  const trial = { listed: listed('1'), metric: 'shares', subjects: ['1', '2'] };
  const memory = remembering(over('1'), over('2'), over('2', { metric: 'saved' }), over('3'));

  it('refuses for another week what is refused still', () => {
    const { refusals } = afterTrial(memory, { trial, answered: false }, NOW);

    const untilMs = NOW + 7 * DAY;
    expect(refusals).toEqual([
      over('1', { untilMs }),
      over('2', { untilMs }),
      over('2', { metric: 'saved' }),
      over('3'),
    ]);
  });

  it('forgets what is answered again', () => {
    const { refusals } = afterTrial(memory, { trial, answered: true }, NOW);

    expect(refusals).toEqual([over('2', { metric: 'saved' }), over('3')]);
  });
});
