import { describe, expect, test } from '@jest/globals';
import { drawTerminal } from '../../../scripts/terminal-picture.ts';

const options = { title: 'A & B', columns: 10, rows: 3, seconds: 2, pauseMs: 1000 };

/** Returns the texts of the rows, with plain spaces. */
function rowsOf(picture: string): readonly string[] {
  return [...picture.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) =>
    text.replaceAll('\u00a0', ' '),
  );
}

/** Returns the steps of an animation: percent and position. */
function stepsOf(picture: string, name: string): readonly (readonly number[])[] {
  const [, steps = ''] = new RegExp(`@keyframes ${name} \\{(.*) \\}`).exec(picture) ?? [];
  return [...steps.matchAll(/([\d.]+)% \{ transform: translateY\((-?\d+)px\); \}/g)].map(
    ([, percent, position]) => [Number(percent), Number(position)],
  );
}

describe('picture of a terminal', () => {
  const printed = ['$ run', 'one', 'two', 'three', 'four'].map((text, index) => ({
    text,
    atMs: index * 100,
  }));

  test('has the lines as they were printed, in rows as wide as the terminal, escaped for XML', () => {
    const lines = [
      { atMs: 0, text: '$ run' },
      { atMs: 5, text: '' },
      { atMs: 9, text: '{ a: "<b>" }   & more' },
    ];

    expect(rowsOf(drawTerminal(lines, options))).toEqual([
      '$ run',
      '{ a: "&lt;b>"',
      ' }   &amp; mor',
      'e',
    ]);
  });

  test('uncovers rows at the times at which they were printed, compressed to the length of the animation', () => {
    expect(stepsOf(drawTerminal(printed, options), 'cover')).toEqual([
      [0, 56],
      [25, 76],
      [50, 96],
    ]);
  });

  test('cuts a long pause between two lines', () => {
    const lines = [0, 500, 60_000, 61_000].map((atMs) => ({ atMs, text: 'x' }));

    expect(stepsOf(drawTerminal(lines, { ...options, rows: 9 }), 'cover')).toEqual([
      [0, 56],
      [20, 76],
      [60, 96],
      [100, 116],
    ]);
  });

  test('scrolls when the window is full', () => {
    expect(stepsOf(drawTerminal(printed, options), 'scroll')).toEqual([
      [0, 36],
      [75, 16],
      [100, -4],
    ]);
  });

  test('stands still at its last rows after the animation, and for a reader who prefers reduced motion', () => {
    const picture = drawTerminal(printed, options);

    expect(picture).toContain(
      '.scroll { transform: translateY(-4px); animation: scroll 2s step-end; }',
    );
    expect(picture).toContain(
      '.cover { transform: translateY(96px); animation: cover 2s step-end; }',
    );
    expect(picture).toContain(
      '(prefers-reduced-motion: reduce) { .scroll, .cover { animation: none; } }',
    );
    expect(picture).not.toContain('infinite');
  });

  test('has a title, and nothing that a page would have to load', () => {
    const picture = drawTerminal(printed, options);

    expect(picture).toContain('<title id="title">A &amp; B</title>');
    expect(picture).not.toMatch(/<script|href=|url\(["']?http/);
  });
});
