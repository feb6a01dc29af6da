import { byId, make, makeSvg, part, reconcile, setText } from './elements.js';
import {
  bars,
  draw,
  limitLine,
  line,
  linearScale,
  lineSample,
  logScale,
  rangeSample,
  ranges,
} from './plots.js';
import { count, duration, relative, shortCount, timeOfDay } from './words.js';

/** @import { HistoryAnswer } from '../src/observability/history.ts' */
/** @import { Area, Plot } from './plots.js' */
/** @typedef {HistoryAnswer['hours'][number]} Hour */
/** @typedef {HistoryAnswer['quota'][number]} ScopeUsage */
/** @typedef {Omit<Hour, 'start' | 'streams'>} Counts */

/**
 * The content of a figure: its drawing, its latest values in words, and the same as a table.
 *
 * @typedef {object} Shown
 * @property {string} latest
 * @property {Omit<Plot, 'fromMs' | 'toMs'> | null} plot null without anything to draw
 * @property {readonly string[]} columns
 * @property {readonly (readonly string[])[]} rows
 */

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** The usage from which requests are slowed down. */
const slowedPercent = 75;

const choice = /** @type {HTMLSelectElement} */ (byId('plot-stream'));

/** @type {HistoryAnswer | null} */
let shown = null;

/** @type {Counts} */
const noCounts = { records: 0, calls: 0, polls: 0, medianSeconds: null, largestSeconds: null };

/** @type {readonly { id: string, title: string, show: (history: HistoryAnswer) => Shown }[]} */
const figures = [
  {
    id: 'records',
    title: 'Records an hour',
    show: (history) =>
      showCounts(history, {
        title: 'Records an hour',
        valueOf: ({ records }) => records,
        absent: 'Waits for the first published record.',
      }),
  },
  {
    id: 'calls',
    title: 'API calls an hour',
    show: (history) =>
      showCounts(history, {
        title: 'API calls an hour',
        valueOf: ({ calls }) => calls,
        absent: 'Waits for the first call of the API.',
      }),
  },
  { id: 'usage', title: 'Quota used', show: showUsage },
  { id: 'durations', title: 'Duration of polls', show: showDurations },
];

/**
 * Shows the plots of a new history.
 *
 * @param {HistoryAnswer} history
 * @param {readonly string[]} streams the enabled streams
 */
export function showHistory(history, streams) {
  shown = history;
  reconcile(choice, ['', ...streams], {
    key: (name) => name,
    create: (name) => make('option', { value: name }, [name === '' ? 'All streams' : name]),
    update: () => undefined,
  });
  const since = relative(history.startedAt, history.now).replace(' ago', '');
  const isShort = history.hours.length < 24;
  const note = 'Counted by this instance; a restart begins anew.';
  setText(byId('plots-note'), isShort ? `${note} It has been running for ${since}.` : note);
  drawAll();
}

function drawAll() {
  const history = shown;
  if (history === null) return;
  reconcile(byId('plots'), figures, {
    key: ({ id }) => id,
    create: makeFigure,
    update: (figure, { title, show }) => {
      updateFigure(figure, { title, history, ...show(history) });
    },
  });
  showLegend(history);
}

/** @param {{ id: string, title: string }} figure */
function makeFigure({ id, title }) {
  const heading = `plot-${id}`;
  return make('figure', { id, 'aria-labelledby': heading }, [
    make('figcaption', {}, [
      make('h3', { id: heading }, [title]),
      make('p', { class: 'quiet', 'data-part': 'latest' }),
    ]),
    make('div', { 'data-part': 'drawing' }, [makeSvg('svg', { role: 'img' })]),
    make('ul', { class: 'legend', 'data-part': 'legend' }),
    make('details', { 'data-part': 'details' }, [
      make('summary', {}, ['As a table', make('span', { class: 'unseen' }, [`: ${title}`])]),
      make('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': title }, [
        make('table', { class: 'plain', 'aria-labelledby': heading }, [
          make('thead', {}, [make('tr', { 'data-part': 'columns' })]),
          make('tbody', { 'data-part': 'rows' }),
        ]),
      ]),
    ]),
  ]);
}

/**
 * @param {HTMLElement} figure
 * @param {Shown & { history: HistoryAnswer, title: string }} content
 */
function updateFigure(figure, { history, title, latest, plot, columns, rows }) {
  setText(part(figure, 'latest'), latest);
  const drawing = part(figure, 'drawing');
  drawing.hidden = plot === null;
  part(figure, 'details').hidden = plot === null;
  if (plot === null) return;
  const svg = /** @type {SVGSVGElement} */ (drawing.firstElementChild);
  const toMs = Math.floor(Date.parse(history.now) / hourMs) * hourMs + hourMs;
  draw(svg, { ...plot, label: `${title}: ${plot.label}`, fromMs: toMs - dayMs, toMs });
  showCells(part(figure, 'columns'), columns, true);
  const numbered = rows.map((cells, index) => ({ cells, index }));
  reconcile(part(figure, 'rows'), numbered, {
    key: ({ index }) => String(index),
    create: () => make('tr'),
    update: (row, { cells }) => {
      showCells(row, cells, false);
    },
  });
}

/**
 * @param {Element} row
 * @param {readonly string[]} texts
 * @param {boolean} isHead
 */
function showCells(row, texts, isHead) {
  const cells = texts.map((text, index) => ({ text, index }));
  reconcile(row, cells, {
    key: ({ index }) => String(index),
    create: ({ index }) => {
      const kind = index === 0 ? '' : 'number';
      if (isHead) return make('th', { scope: 'col', class: kind });
      return index === 0 ? make('th', { scope: 'row' }) : make('td', { class: kind });
    },
    update: (cell, { text }) => {
      setText(cell, text);
    },
  });
}

/**
 * The counts of the chosen stream in each hour, oldest first.
 *
 * @param {HistoryAnswer} history
 */
function chosenHours({ hours }) {
  return hours.map((hour, index) => {
    const startMs = Date.parse(hour.start);
    /** @type {Counts} */
    const counts =
      choice.value === ''
        ? hour
        : (hour.streams.find(({ stream }) => stream === choice.value) ?? noCounts);
    const isOver = index < hours.length - 1;
    return { startMs, counts, isOver, span: hourSpan(startMs) };
  });
}

/** @param {number} startMs */
function hourSpan(startMs) {
  return `${timeOfDay(startMs)} to ${timeOfDay(startMs + hourMs)}`;
}

/**
 * @param {HistoryAnswer} history
 * @param {{ title: string, valueOf: (counts: Counts) => number, absent: string }} options `absent` is
 * the text for a sum of 0
 * @returns {Shown}
 */
function showCounts(history, { title, valueOf, absent }) {
  const hours = chosenHours(history).map(({ counts, ...hour }) => {
    const value = valueOf(counts);
    return { ...hour, value, text: `${hour.span}: ${count(value)}` };
  });
  const values = hours.map(({ value }) => value);
  const sum = values.reduce((so, value) => so + value, 0);
  const columns = ['Hour', title.replace(' an hour', '')];
  if (sum === 0) return { latest: absent, plot: null, columns, rows: [] };
  const largest = Math.max(...values);
  const top = hours.find(({ value }) => value === largest);
  const latest = `${count(values.at(-1) ?? 0)} in this hour so far, ${count(sum)} in all`;
  return {
    latest,
    plot: {
      label: `${latest}; most from ${top?.span ?? ''}: ${count(largest)}`,
      scale: linearScale(largest, shortCount),
      marks: (area) => bars(area, hours),
    },
    columns,
    rows: hours.toReversed().map(({ span, value }) => [span, count(value)]),
  };
}

/**
 * @param {HistoryAnswer} history
 * @returns {Shown}
 */
function showDurations(history) {
  const hours = chosenHours(history).flatMap(({ counts, startMs, span }) => {
    const { medianSeconds: median, largestSeconds: largest, polls } = counts;
    if (median === null || largest === null) return [];
    const words = `median ${duration(median)}, longest ${duration(largest)}`;
    return [{ startMs, span, median, largest, polls, words, text: `${span}: ${words}` }];
  });
  const last = hours.at(-1);
  const columns = ['Hour', 'Polls', 'Median', 'Longest'];
  if (last === undefined) {
    return { latest: 'Waits for the end of the first poll.', plot: null, columns, rows: [] };
  }
  const latest = `${last.words}, from ${last.span}`;
  const longest = Math.max(...hours.map(({ largest }) => largest));
  return {
    latest: `${latest.charAt(0).toUpperCase()}${latest.slice(1)}`,
    plot: {
      label: `${latest}; longest of all: ${duration(longest)}`,
      scale: logScale(durationSteps, {
        smallest: Math.min(...hours.map(({ median }) => median)),
        largest: longest,
      }),
      marks: (area) => ranges(area, hours),
    },
    columns,
    rows: hours
      .toReversed()
      .map(({ span, polls, median, largest }) => [
        span,
        count(polls),
        duration(median),
        duration(largest),
      ]),
  };
}

const durationSteps = [
  { value: 0.001, label: '1 ms' },
  { value: 0.01, label: '10 ms' },
  { value: 0.1, label: '0.1 s' },
  { value: 1, label: '1 s' },
  { value: 10, label: '10 s' },
  { value: 60, label: '1 min' },
  { value: 600, label: '10 min' },
  { value: 3600, label: '1 h' },
  { value: 36_000, label: '10 h' },
];

/**
 * @param {HistoryAnswer} history
 * @returns {Shown}
 */
function showUsage(history) {
  const { quota, hours } = history;
  const columns = ['Hour', ...quota.map(nameOf)];
  if (quota.length === 0) {
    return { latest: 'The API has reported no usage yet.', plot: null, columns, rows: [] };
  }
  const highest = quota.map((one) => `${nameOf(one)} ${one.percent} %`).join(', ');
  return {
    latest:
      quota.length < 5
        ? 'Largest in each quarter of an hour'
        : 'The five scopes with the highest usage',
    plot: {
      label: `now ${highest}`,
      scale: linearScale(percentTop(quota), (value) => `${value} %`),
      marks: (area) => usageMarks(area, history),
    },
    columns,
    rows: hours
      .toReversed()
      .map(({ start }) => [
        hourSpan(Date.parse(start)),
        ...quota.map((one) => usageIn(one, Date.parse(start))),
      ]),
  };
}

/** @param {readonly ScopeUsage[]} quota */
function percentTop(quota) {
  return Math.max(100, ...quota.flatMap(({ points }) => points.map(({ percent }) => percent)));
}

/**
 * @param {Area} area
 * @param {HistoryAnswer} history
 */
function usageMarks(area, { quota, now }) {
  const toMs = Math.floor(Date.parse(now) / hourMs) * hourMs + hourMs;
  return [
    limitLine(area, { fromMs: toMs - dayMs, toMs, value: slowedPercent, text: 'slowed down' }),
    ...quota.map((one, index) =>
      line(area, {
        number: index + 1,
        text: `${nameOf(one)}: ${one.percent} %`,
        points: one.points.map(({ start, percent }) => ({ ms: Date.parse(start), value: percent })),
      }),
    ),
  ];
}

/**
 * The largest usage in an hour, in words.
 *
 * @param {ScopeUsage} usage
 * @param {number} startMs
 */
function usageIn({ points }, startMs) {
  const inHour = points.filter(({ start }) => {
    const ms = Date.parse(start);
    return ms >= startMs && ms < startMs + hourMs;
  });
  if (inHour.length === 0) return '–';
  return `${Math.max(...inHour.map(({ percent }) => percent))} %`;
}

/** @param {ScopeUsage} usage */
function nameOf({ scope, id }) {
  return id === null ? scope : `${scope} ${id}`;
}

/** @param {HistoryAnswer} history */
function showLegend({ quota, hours }) {
  const isPolled = hours.some(({ polls }) => polls > 0);
  reconcile(part(byId('durations'), 'legend'), isPolled ? ['median', 'longest'] : [], {
    key: (name) => name,
    create: (name) => make('li', {}, [rangeSample(name === 'median'), name]),
    update: () => undefined,
  });
  const items = quota.map((usage, index) => ({ usage, number: index + 1 }));
  reconcile(part(byId('usage'), 'legend'), items, {
    key: ({ usage, number }) => `${number} ${nameOf(usage)}`,
    create: ({ number }) =>
      make('li', {}, [
        lineSample(number),
        make('span', { 'data-part': 'name' }),
        make('strong', { 'data-part': 'last' }),
      ]),
    update: (item, { usage }) => {
      setText(part(item, 'name'), nameOf(usage));
      setText(part(item, 'last'), `${usage.percent} %`);
    },
  });
}

choice.addEventListener('change', drawAll);
new ResizeObserver(drawAll).observe(byId('plots'));
