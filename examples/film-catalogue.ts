/** A catalogue of films that can't be published as it is: some of its records are wrong, and the run says which. */
import { z } from 'zod';
import { defineBatch, defineJob, TerminalError } from '../src/index.js';
import { jsonRecords, type Placed } from './datasets.js';
import { directoryParameter, publish, publishedSchema, reportsDirectory, table } from './reports.js';

const FILMS = 'movies.json';
const MAX_LISTED = 50;

const filmSchema = z.looseObject({ Title: z.unknown(), 'Release Date': z.unknown() });

const badRecordSchema = z.object({ record: z.int(), field: z.string(), value: z.string(), rule: z.string() });
type BadRecord = z.infer<typeof badRecordSchema>;

const checkedSchema = z.object({ films: z.int(), bad: z.int(), badRecords: z.array(badRecordSchema).max(MAX_LISTED) });

export const checkFilms = defineJob({
  name: 'check-films',
  description: `Checks each film of a catalogue, and refuses one with more bad records than tolerated (${FILMS})`,
  tags: ['example', 'films'],
  parameters: z.object({ asOf: z.iso.date(), tolerate: z.int().min(0).default(0) }),
  outputs: checkedSchema,
  timeout: '1m',
  run: async (ctx) => {
    const { asOf, tolerate } = ctx.params;
    const found: BadRecord[] = [];
    let films = 0;
    for await (const record of jsonRecords(FILMS, ctx)) {
      films += 1;
      const bad = faultOf(record, asOf);
      if (bad === undefined) continue;
      found.push(bad);
      ctx.log.warn(describe(bad), bad);
    }
    const [first] = found;
    if (first !== undefined && found.length > tolerate) {
      const others = found.length - 1;
      const rest = others === 0 ? '' : ` ${others} more of ${films} records break a rule; the log names them.`;
      // Another attempt would read the same file.
      throw new TerminalError(`${describe(first)}.${rest}`, { code: 'bad-record' });
    }
    return { films, bad: found.length, badRecords: found.slice(0, MAX_LISTED) };
  },
});

export const publishCatalogue = defineJob({
  name: 'publish-catalogue',
  description: 'Writes down how a catalogue of films was accepted',
  tags: ['example', 'films'],
  parameters: z.object({ asOf: z.iso.date(), checked: checkedSchema, directory: directoryParameter }),
  outputs: publishedSchema,
  timeout: '1m',
  run: async (ctx) => {
    const { asOf, checked } = ctx.params;
    const markdown = [
      `# Films up to ${asOf}`,
      '',
      `${checked.films} films, ${checked.bad} of them left out:`,
      '',
      table(['Record', 'Field', 'Value', 'Rule'], checked.badRecords.map((bad) => [bad.record, bad.field, bad.value, bad.rule])),
      '',
    ].join('\n');
    return publish({ name: `films-${asOf}`, markdown, figures: { asOf, ...checked } }, reportsDirectory(ctx.params.directory), ctx);
  },
});

export const filmCatalogue = defineBatch({
  name: 'film-catalogue',
  title: 'Film catalogue',
  description: 'Checks a catalogue of films before it is published. The data has films of the 1940s that come out in the 2040s, so it fails unless so many bad records are tolerated.',
  labels: { example: 'true', team: 'media' },
  parameters: [
    { name: 'asOf', kind: 'string', default: '2011-12-31', description: 'YYYY-MM-DD; no film in the catalogue may be released later' },
    { name: 'tolerate', kind: 'integer', default: 0, description: 'so many bad records are left out instead of refused' },
    { name: 'directory', kind: 'string', description: 'where the report goes; `reports` in the data directory unless given' },
  ],
  steps: [
    { id: 'check', type: 'job', job: checkFilms.name, retry: { maxAttempts: 3, initialDelay: '1s' } },
    { id: 'publish', type: 'job', job: publishCatalogue.name, params: { checked: '{{ outputs.check }}' } },
  ],
});

function faultOf({ number, value }: Placed<unknown>, asOf: string): BadRecord | undefined {
  const film = filmSchema.safeParse(value);
  if (!film.success) return { record: number, field: '', value: JSON.stringify(value), rule: 'a film is an object' };
  const { Title: title, 'Release Date': released } = film.data;
  if (typeof title !== 'string' || title === '') return { record: number, field: 'Title', value: JSON.stringify(title), rule: 'a title is a text' };
  const date = dateOf(released);
  if (date === undefined) return { record: number, field: 'Release Date', value: JSON.stringify(released), rule: 'a date is written like "Jun 12 1998"' };
  if (date > asOf) return { record: number, field: 'Release Date', value: JSON.stringify(released), rule: `no film is released after ${asOf}` };
  return undefined;
}

/** "Jun 12 1998" as "1998-06-12". */
function dateOf(text: unknown): string | undefined {
  if (typeof text !== 'string' || !/^[A-Z][a-z]{2} \d\d \d{4}$/.test(text)) return undefined;
  const time = Date.parse(`${text} UTC`);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().slice(0, 10);
}

function describe({ record, field, value, rule }: BadRecord): string {
  return `${FILMS}, record ${record}: "${field}" is ${value}, but ${rule}`;
}
