// The ends of a pause: choices, local times and their zone.

const hourMs = 3_600_000;
const days = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'shortOffset',
});

/**
 * A day and a time with its offset from UTC, such as `Thu, 26 Nov, 08:00 GMT+1`.
 *
 * @param {Date} moment
 */
export function dayAndTime(moment) {
  return days.format(moment);
}

/** The name of the browser's time zone, such as `Europe/Berlin`. */
export function zoneName() {
  return days.resolvedOptions().timeZone;
}

/**
 * Tomorrow at 08:00 in the browser's time zone.
 *
 * @param {number} nowMs
 */
export function tomorrowMorning(nowMs) {
  const now = new Date(nowMs);
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, 8);
}

/**
 * The end of a pause; null for one that ends when a person resumes.
 *
 * @param {string} choice the value of the chosen radio button
 * @param {{ nowMs: number, chosen: string }} options `chosen` is the value of a `datetime-local` field
 * @returns {Date | null}
 * @throws {RangeError} for a chosen time that is missing or past, with a message for a person
 */
export function endOfPause(choice, { nowMs, chosen }) {
  if (choice === 'resumed') return null;
  if (choice === 'hour') return new Date(nowMs + hourMs);
  if (choice === 'tomorrow') return tomorrowMorning(nowMs);
  const end = new Date(chosen);
  if (Number.isNaN(end.getTime())) throw new RangeError('Enter the date and the time of the end.');
  if (end.getTime() <= nowMs) throw new RangeError('Enter a time in the future.');
  return end;
}

/**
 * The value of a `datetime-local` field for a moment, in local time.
 *
 * @param {Date} moment
 */
export function fieldValue(moment) {
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/**
 * The end of the pause of a paused stream; null for one without an end.
 *
 * @param {{ state: string, pause?: { until: string | null } | null }} stream
 */
export function pausedUntil({ state, pause }) {
  return state === 'paused' ? (pause?.until ?? null) : null;
}
