import { makeSvg } from './elements.js';
import { timeOfDay } from './words.js';

/**
 * The vertical axis: the share of the height at which a value is drawn, and the labelled values.
 *
 * @typedef {object} Scale
 * @property {(value: number) => number} ratioOf 0 at the bottom, 1 at the top
 * @property {readonly { value: number, label: string }[]} ticks
 */

/**
 * The pixels of a time and of a value.
 *
 * @typedef {object} Area
 * @property {(ms: number) => number} x
 * @property {(value: number) => number} y
 */

/**
 * @typedef {object} Plot
 * @property {string} label the accessible name of the drawing
 * @property {number} fromMs the beginning of the horizontal axis, epoch milliseconds
 * @property {number} toMs
 * @property {Scale} scale
 * @property {(area: Area) => readonly SVGElement[]} marks
 */

const hourMs = 3_600_000;
const height = 160;
const margin = { top: 10, right: 8, bottom: 22, left: 46 };

/**
 * Draws a plot as wide as the place of its drawing, so that its text keeps its size.
 *
 * @param {SVGSVGElement} svg
 * @param {Plot} plot
 */
export function draw(svg, { label, fromMs, toMs, scale, marks }) {
  const width = Math.max(svg.parentElement?.clientWidth ?? 0, 200);
  const right = width - margin.right;
  const bottom = height - margin.bottom;
  /** @type {Area} */
  const area = {
    x: (ms) => margin.left + ((right - margin.left) * (ms - fromMs)) / (toMs - fromMs),
    y: (value) => bottom - (bottom - margin.top) * scale.ratioOf(value),
  };
  for (const [name, value] of Object.entries({
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
  })) {
    svg.setAttribute(name, String(value));
  }
  svg.setAttribute('aria-label', label);
  svg.replaceChildren(
    ...scale.ticks.flatMap(({ value, label: text }) => {
      const y = area.y(value);
      return [
        makeSvg('line', { class: 'grid', x1: margin.left, x2: right, y1: y, y2: y }),
        makeSvg('text', { x: margin.left - 6, y: y + 4, 'text-anchor': 'end' }, [text]),
      ];
    }),
    ...timeTicks(fromMs, toMs).map((ms) =>
      makeSvg('text', { x: area.x(ms), y: height - 5, 'text-anchor': 'middle' }, [timeOfDay(ms)]),
    ),
    ...marks(area),
  );
}

/**
 * Every sixth hour of the day in local time, without those too close to an end to be labelled.
 *
 * @param {number} fromMs
 * @param {number} toMs
 */
function timeTicks(fromMs, toMs) {
  const hours = Array.from({ length: (toMs - fromMs) / hourMs }, (_, i) => fromMs + i * hourMs);
  return hours.slice(1, -1).filter((ms) => new Date(ms).getHours() % 6 === 0);
}

/**
 * A scale from 0 to a round number that is not below `largest`.
 *
 * @param {number} largest
 * @param {(value: number) => string} format
 * @returns {Scale}
 */
export function linearScale(largest, format) {
  const step = roundStep(largest / 3);
  const top = Math.max(1, Math.ceil(largest / step)) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return {
    ratioOf: (value) => value / top,
    ticks: ticks.map((value) => ({ value, label: format(value) })),
  };
}

/**
 * The smallest of 1, 2, 5, 10, 20 … that is not below a value.
 *
 * @param {number} value
 */
function roundStep(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5].find((factor) => factor * power >= value) ?? 10) * power;
}

/**
 * A logarithmic scale over those of `steps` that enclose the values.
 *
 * @param {readonly { value: number, label: string }[]} steps ascending
 * @param {{ smallest: number, largest: number }} values
 * @returns {Scale}
 */
export function logScale(steps, { smallest, largest }) {
  const first = Math.max(
    0,
    steps.findLastIndex(({ value }) => value <= smallest),
  );
  const end = steps.findIndex(({ value }) => value >= largest);
  const last = Math.max(first + 1, end === -1 ? steps.length - 1 : end);
  const ticks = steps.slice(first, last + 1);
  const [low, high] = [ticks[0], ticks.at(-1)].map((tick) => Math.log(tick?.value ?? 1));
  return {
    ratioOf: (value) => {
      const ratio = (Math.log(Math.max(value, 1e-9)) - (low ?? 0)) / ((high ?? 1) - (low ?? 0));
      return Math.min(Math.max(ratio, 0), 1);
    },
    ticks,
  };
}

/**
 * A bar for each hour. The bar of an hour that is not over is only outlined.
 *
 * @param {Area} area
 * @param {readonly { startMs: number, value: number, text: string, isOver: boolean }[]} hours
 */
export function bars({ x, y }, hours) {
  return hours.map(({ startMs, value, text, isOver }) => {
    const [left, right, top] = [x(startMs), x(startMs + hourMs), y(value)];
    const gap = Math.min(2, (right - left) / 4);
    return withText(text, [
      hitArea(left, right),
      makeSvg('rect', {
        class: isOver ? 'bar' : 'bar open',
        x: left + gap / 2,
        y: top,
        width: right - left - gap,
        height: y(0) - top,
      }),
    ]);
  });
}

/**
 * For each hour a dot at its median, and a line to its largest value.
 *
 * @param {Area} area
 * @param {readonly { startMs: number, median: number, largest: number, text: string }[]} hours
 */
export function ranges({ x, y }, hours) {
  return hours.map(({ startMs, median, largest, text }) => {
    const [left, right] = [x(startMs), x(startMs + hourMs)];
    const middle = (left + right) / 2;
    const cap = Math.min(4, (right - left) / 3);
    return withText(text, [
      hitArea(left, right),
      makeSvg('path', {
        class: 'range',
        d: `M${middle} ${y(median)}V${y(largest)}M${middle - cap} ${y(largest)}h${2 * cap}`,
      }),
      makeSvg('circle', { class: 'dot', cx: middle, cy: y(median), r: 3 }),
    ]);
  });
}

/**
 * A line through points, and a dot at its end. Its number selects colour and dashes.
 *
 * @param {Area} area
 * @param {{ number: number, text: string, points: readonly { ms: number, value: number }[] }} series
 */
export function line({ x, y }, { number, text, points }) {
  const end = points.at(-1);
  if (end === undefined) return makeSvg('g');
  const path = points.map(({ ms, value }) => `${x(ms).toFixed(1)} ${y(value).toFixed(1)}`);
  return withText(
    text,
    [
      makeSvg('path', { class: 'line', d: `M${path.join('L')}` }),
      makeSvg('circle', { class: 'end', cx: x(end.ms), cy: y(end.value), r: 3 }),
    ],
    `series-${number}`,
  );
}

/**
 * A line across the plot at a value that matters.
 *
 * @param {Area} area
 * @param {{ fromMs: number, toMs: number, value: number, text: string }} limit
 */
export function limitLine({ x, y }, { fromMs, toMs, value, text }) {
  return makeSvg('g', {}, [
    makeSvg('line', { class: 'limit', x1: x(fromMs), x2: x(toMs), y1: y(value), y2: y(value) }),
    makeSvg('text', { x: x(fromMs) + 4, y: y(value) - 4 }, [text]),
  ]);
}

/**
 * The sample of a line in a legend.
 *
 * @param {number} number
 */
export function lineSample(number) {
  return makeSvg('svg', { class: 'sample', width: 28, height: 10, 'aria-hidden': 'true' }, [
    makeSvg('g', { class: `series-${number}` }, [
      makeSvg('path', { class: 'line', d: 'M0 5H24' }),
      makeSvg('circle', { class: 'end', cx: 24, cy: 5, r: 3 }),
    ]),
  ]);
}

/**
 * The sample of a median or of a largest value in a legend.
 *
 * @param {boolean} isMedian
 */
export function rangeSample(isMedian) {
  return makeSvg('svg', { class: 'sample', width: 10, height: 14, 'aria-hidden': 'true' }, [
    isMedian
      ? makeSvg('circle', { class: 'dot', cx: 5, cy: 7, r: 3 })
      : makeSvg('path', { class: 'range', d: 'M5 13V3M1 3h8' }),
  ]);
}

/**
 * Marks with a text for the pointer that rests on them.
 *
 * @param {string} text
 * @param {readonly SVGElement[]} marks
 * @param {string} [name] the class
 */
function withText(text, marks, name = 'hour') {
  return makeSvg('g', { class: name }, [makeSvg('title', {}, [text]), ...marks]);
}

/**
 * The whole height of an hour, so that the pointer needs not hit a low bar.
 *
 * @param {number} left
 * @param {number} right
 */
function hitArea(left, right) {
  const [top, bottom] = [margin.top, height - margin.bottom];
  return makeSvg('rect', {
    class: 'hit',
    x: left,
    y: top,
    width: right - left,
    height: bottom - top,
  });
}
