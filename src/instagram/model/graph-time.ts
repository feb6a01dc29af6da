const pattern =
  /^([1-9]\d{3})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:Z|([+-])(\d{2}):?(\d{2}))$/;

/** Parses `2026-05-12T05:26:06+0000` or RFC 3339 to epoch milliseconds; undefined otherwise. */
export function parseGraphTime(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, ...time] = match.slice(1, 7).map(Number);
  const moment = Date.UTC(year, month - 1, day, ...time);
  // Date.UTC rolls 31 February over into March.
  if (new Date(moment).getUTCDate() !== day) return undefined;
  const [sign, hours, minutes] = match.slice(7);
  if (sign === undefined) return moment;
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return sign === '-' ? moment + offset : moment - offset;
}
