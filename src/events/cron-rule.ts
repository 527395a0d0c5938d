/** How a cron rule and a time zone are written, and what is wrong with one that is not. croner knows the grammar. */
import { Cron } from 'croner';

const FIELDS = ['second', 'minute', 'hour', 'day of month', 'month', 'day of week'] as const;
const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@hourly': '0 * * * *',
};

/** Rules are due from here on and before then: what lies outside is a slip, and time zones know nothing of it. */
export const FIRST_DUE_MS = 0;
export const LAST_DUE_MS = Date.UTC(9000, 0);
export const DUE_TIMES = 'between 1970 and 9000';

export function isDueTime(ms: number): boolean {
  return ms >= FIRST_DUE_MS && ms <= LAST_DUE_MS;
}

/** The six fields of a sound rule, seconds first. */
export type CronFields = readonly [second: string, minute: string, hour: string, day: string, month: string, weekday: string];

/** A macro or a rule of 5 fields, with all it leaves unsaid. @throws RangeError for a rule that has not 5 or 6 fields */
export function cronFields(rule: string): CronFields {
  const said = fieldsOf(rule);
  const [second, minute, hour, day, month, weekday] = said.length === 5 ? ['0', ...said] : said;
  if (said.length > 6 || second === undefined || minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined) {
    throw new RangeError(`"${rule}" is not a cron rule of 5 or 6 fields.`);
  }
  return [second, minute, hour, day, month, weekday];
}

/** Why a rule is refused, with the field that is wrong; `undefined` if it is sound. */
export function cronFault(rule: string): string | undefined {
  if (rule.trim().startsWith('@') && MACROS[rule.trim().toLowerCase()] === undefined) return `There is no "${rule.trim()}"; the names are ${Object.keys(MACROS).join(', ')}.`;
  const fields = fieldsOf(rule);
  if (fields.length !== 5 && fields.length !== 6) return `Give a cron rule of 5 fields, or of 6 with seconds first, like "30 2 * * 1-5"; this one has ${fields.length}.`;
  const fault = refusal(fields);
  if (fault === undefined) return undefined;
  const names = FIELDS.slice(FIELDS.length - fields.length);
  const wrong = fields.findIndex((field, index) => refusal(fields.map((_, other) => (other === index ? field : '*'))) !== undefined);
  if (wrong === -1) return `The cron rule does not parse: ${fault}.`;
  return `Field ${wrong + 1} of the cron rule, the ${names[wrong] ?? ''}, does not parse: "${fields[wrong] ?? ''}".`;
}

export function isTimeZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    // Newer engines take offsets too, which know no summer time and are no IANA names.
    return /^[A-Za-z]/.test(timeZone);
  } catch {
    return false;
  }
}

function fieldsOf(rule: string): readonly string[] {
  const said = rule.trim();
  return (MACROS[said.toLowerCase()] ?? said).split(/\s+/);
}

function refusal(fields: readonly string[]): string | undefined {
  try {
    new Cron(fields.join(' '), { paused: true });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.replace(/^CronPattern: /, '').replace(/\.$/, '') : 'unknown reason';
  }
}
