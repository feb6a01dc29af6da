// Texts of numbers, times and states. Times are relative to the clock of the server.

const numbers = new Intl.NumberFormat('en');
const shortNumbers = new Intl.NumberFormat('en', { notation: 'compact' });
const hours = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});
const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** @type {Readonly<Record<string, string>>} */
const stateWords = {
  ok: 'OK',
  starting: 'First poll',
  paused: 'Paused',
  waiting: 'Waits for a limit',
  retrying: 'Tries again',
  late: 'Late',
  failed: 'Failed',
  stopped: 'Stopped',
  free: 'Free',
  slowed: 'Slowed down',
};

/** @param {string} state */
export function stateWord(state) {
  return stateWords[state] ?? state;
}

/** @param {number} value */
export function count(value) {
  return numbers.format(value);
}

/**
 * A number of few characters, such as `1.2K`.
 *
 * @param {number} value
 */
export function shortCount(value) {
  return shortNumbers.format(value);
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/**
 * A span of time in its largest unit that fits, such as `3 min`.
 *
 * @param {number} seconds
 */
export function span(seconds) {
  const whole = Math.abs(seconds);
  if (whole >= 3600 && whole % 3600 === 0 && whole < 72 * 3600) return `${whole / 3600} h`;
  if (whole < 90) return `${Math.round(whole)} s`;
  if (whole < 90 * 60) return `${Math.round(whole / 60)} min`;
  if (whole < 36 * 3600) return `${Math.round(whole / 3600)} h`;
  return plural(Math.round(whole / 86_400), 'day');
}

/**
 * A duration that may be shorter than a second, such as `0.25 s`.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  return seconds < 10 ? `${Number(seconds.toPrecision(2))} s` : span(seconds);
}

/**
 * The local time of day, such as `08:00`.
 *
 * @param {number} ms
 */
export function timeOfDay(ms) {
  return hours.format(ms);
}

/**
 * How long ago, or until when.
 *
 * @param {string} moment
 * @param {string} now
 */
export function relative(moment, now) {
  const seconds = (Date.parse(moment) - Date.parse(now)) / 1000;
  if (Math.abs(seconds) < 1) return 'now';
  return seconds < 0 ? `${span(seconds)} ago` : `in ${span(seconds)}`;
}

/**
 * Date and time, as this machine writes them.
 *
 * @param {string} moment
 */
export function absolute(moment) {
  return moments.format(new Date(moment));
}
