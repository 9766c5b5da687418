const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** RFC 5322 4.3; hours. Military letters mean nothing certain and count as UTC. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['ut', 0],
  ['utc', 0],
  ['gmt', 0],
  ['z', 0],
  ['wet', 0],
  ['west', 1],
  ['bst', 1],
  ['cet', 1],
  ['met', 1],
  ['mez', 1],
  ['cest', 2],
  ['mest', 2],
  ['mesz', 2],
  ['eet', 2],
  ['eest', 3],
  ['msk', 3],
  ['jst', 9],
  ['kst', 9],
  ['est', -5],
  ['edt', -4],
  ['cst', -6],
  ['cdt', -5],
  ['mst', -7],
  ['mdt', -6],
  ['pst', -8],
  ['pdt', -7],
]);

const RFC =
  /(?:^|[\s,])(\d{1,2})[\s-]+([a-z]{3})[a-z.]*[\s,-]+(\d{2,4})(?:[\s,]+(?:at\s+)?([\d:.]+\s*(?:[ap]m)?)(.*))?$/i;
const ASCTIME = /([a-z]{3})[a-z.]*\s+(\d{1,2}),?\s+([\d:.]+\s*(?:[ap]m)?)\s+(?:([a-z]{1,5})\s+)?(\d{4})(.*)$/i;
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[t\s]+([\d:.]+)\s*(.*))?$/i;

const EARLIEST = 0;
const LATEST = Date.UTC(2100, 0, 1);
const LONGEST = 200;

/** A Date header, tolerantly; null when missing, senseless or outside 1970 to 2100. A missing zone counts as UTC. */
export function parseDateHeader(value: string | undefined): Date | null {
  if (value === undefined) return null;
  const text = value
    .slice(0, LONGEST)
    .replace(/\([^()]*\)?/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const millis = rfcDate(text) ?? asctimeDate(text) ?? isoDate(text);
  return millis === null || !(millis >= EARLIEST && millis < LATEST) ? null : new Date(millis);
}

function rfcDate(text: string): number | null {
  const match = RFC.exec(text);
  if (!match) return null;
  const [, day, month, year, time, zone] = match;
  return instant(fullYear(year!), monthOf(month!), Number(day), time ?? '0:0', zone ?? '');
}

function asctimeDate(text: string): number | null {
  const match = ASCTIME.exec(text);
  if (!match) return null;
  const [, month, day, time, zone, year, rest] = match;
  return instant(Number(year), monthOf(month!), Number(day), time!, zone ?? rest!);
}

function isoDate(text: string): number | null {
  const match = ISO.exec(text);
  if (!match) return null;
  const [, year, month, day, time, zone] = match;
  return instant(Number(year), Number(month) - 1, Number(day), time ?? '0:0', zone ?? '');
}

function monthOf(name: string): number {
  return MONTHS.indexOf(name.toLowerCase());
}

/** RFC 5322 4.3: two digits below 50 are this century, three digits count from 1900. */
function fullYear(digits: string): number {
  const year = Number(digits);
  if (digits.length === 2) return year + (year < 50 ? 2000 : 1900);
  return digits.length === 3 ? year + 1900 : year;
}

function instant(year: number, month: number, day: number, time: string, zone: string): number | null {
  const clock = /^(\d{1,2})(?:[:.](\d{1,2}))?(?:[:.](\d{1,2}))?(?:\.\d+)?\s*([ap]m)?/i.exec(time);
  if (!clock || month < 0 || month > 11 || day < 1 || day > 31) return null;
  const half = clock[4]?.toLowerCase();
  const hour = half === undefined ? Number(clock[1]) : (Number(clock[1]) % 12) + (half === 'pm' ? 12 : 0);
  const minute = Number(clock[2] ?? 0);
  const second = Number(clock[3] ?? 0);
  // A leap second is one second late.
  if (hour > 24 || minute > 59 || second > 60) return null;
  return Date.UTC(year, month, day, hour, minute, Math.min(second, 59)) - zoneMinutes(zone) * 60_000;
}

function zoneMinutes(zone: string): number {
  const numeric = /([+-])\s?(\d{1,2}):?(\d{2})?/.exec(zone);
  if (numeric) {
    const minutes = Number(numeric[2]) * 60 + Number(numeric[3] ?? 0);
    return minutes >= 24 * 60 ? 0 : numeric[1] === '-' ? -minutes : minutes;
  }
  const name = /[a-z]+/i.exec(zone)?.[0]?.toLowerCase() ?? '';
  return (ZONES.get(name) ?? 0) * 60;
}
