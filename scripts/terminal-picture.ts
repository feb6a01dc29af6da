/** A line of a program's output, and the time at which it was printed. */
export interface PrintedLine {
  readonly atMs: number;
  readonly text: string;
}

/** Options of a terminal's picture. */
export interface TerminalOptions {
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  /** The length of the animation, to which the times of the lines are compressed or stretched. */
  readonly seconds: number;
  /** The longest pause between two lines before that; longer ones are cut. */
  readonly pauseMs: number;
}

const rowHeight = 20;
/** The widest advance of the fonts in the stack below, at its size. */
const columnWidth = 8.43;
const padding = 16;
const barHeight = 36;

/**
 * Draws what a program printed, as an animated SVG that stops at its last rows. Without animations,
 * and for a reader who prefers reduced motion, it shows the last rows only. It has a background of
 * its own, so it can be read on a dark and on a light page.
 */
export function drawTerminal(lines: readonly PrintedLine[], options: TerminalOptions): string {
  const { title, columns, rows, seconds } = options;
  const printed = lines.flatMap(({ atMs, text }) =>
    wrap(text, columns).map((row) => ({ atMs, text: row })),
  );
  const steps = stepsOf(printed, options);
  const width = Math.ceil(columns * columnWidth) + 2 * padding;
  const height = rows * rowHeight + barHeight + padding;
  const [cover, scroll] = [coverOf(rows), scrollOf(rows)];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
<title id="title">${escape(title)}</title>
<style>
text { fill: #e6edf3; font: 14px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.command { fill: #71cf98; font-weight: 600; }
.scroll { transform: translateY(${scroll(printed.length)}px); animation: scroll ${seconds}s step-end; }
.cover { transform: translateY(${cover(printed.length)}px); animation: cover ${seconds}s step-end; }
@keyframes scroll {${keyframes(steps, scroll)} }
@keyframes cover {${keyframes(steps, cover)} }
@media (prefers-reduced-motion: reduce) { .scroll, .cover { animation: none; } }
</style>
<clipPath id="window"><rect x="0" y="${barHeight}" width="${width}" height="${rows * rowHeight}"/></clipPath>
<rect width="${width}" height="${height}" rx="10" fill="#0d1117" stroke="#3d444d"/>
<g fill="#3d444d"><circle cx="22" cy="18" r="6"/><circle cx="42" cy="18" r="6"/><circle cx="62" cy="18" r="6"/></g>
<g clip-path="url(#window)"><g class="scroll">
${printed.flatMap(({ text }, index) => rowOf(text, index)).join('\n')}
</g><rect class="cover" x="1" width="${width - 2}" height="${rows * rowHeight}" fill="#0d1117"/></g>
</svg>
`;
}

/** Returns the rows of a terminal that a line takes. */
function wrap(text: string, columns: number): readonly string[] {
  const count = Math.max(1, Math.ceil(text.length / columns));
  return Array.from({ length: count }, (_, row) => text.slice(row * columns, (row + 1) * columns));
}

/** The number of rows that are printed from a part of the animation on, in percent. */
interface Step {
  readonly percent: number;
  readonly printed: number;
}

function stepsOf(
  printed: readonly PrintedLine[],
  { seconds, pauseMs }: TerminalOptions,
): readonly Step[] {
  let [totalMs, beforeMs] = [0, printed[0]?.atMs ?? 0];
  const times = printed.map(({ atMs }) => {
    totalMs += Math.min(atMs - beforeMs, pauseMs);
    beforeMs = atMs;
    return totalMs;
  });
  // A frame of the screen is enough.
  const frames = seconds * 60;
  const percents = times.map((ms) => {
    const frame = Math.round((ms / Math.max(1, totalMs)) * frames);
    return Number(((frame / frames) * 100).toFixed(2));
  });
  const last = new Map(percents.map((percent, index) => [percent, index + 1]));
  return [...last].map(([percent, count]) => ({ percent, printed: count }));
}

/** Returns the position of the scrolled rows, of which the last is the lowest in the window. */
function scrollOf(rows: number): (printed: number) => number {
  return (printed) => barHeight - Math.max(0, printed - rows) * rowHeight;
}

/** Returns the position of the rectangle that hides the rows that are not printed yet. */
function coverOf(rows: number): (printed: number) => number {
  return (printed) => barHeight + Math.min(printed, rows) * rowHeight;
}

/** Formats the steps at which the position changes. */
function keyframes(steps: readonly Step[], positionOf: (printed: number) => number): string {
  let before: number | undefined;
  const changes = steps.flatMap(({ percent, printed }) => {
    const position = positionOf(printed);
    if (position === before) return [];
    before = position;
    return [` ${percent}% { transform: translateY(${position}px); }`];
  });
  return changes.join('');
}

function rowOf(text: string, index: number): readonly string[] {
  if (text === '') return [];
  const kind = index === 0 ? ' class="command"' : '';
  const y = (index + 1) * rowHeight - 5;
  // SVG collapses spaces, but not these.
  const kept = escape(text).replaceAll(' ', '\u00a0');
  return [`<text${kind} x="${padding}" y="${y}">${kept}</text>`];
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
