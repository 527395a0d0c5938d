/** The demo: first runs of the examples, in an empty log only. */
import type { INestApplication } from '@nestjs/common';
import { LOG_READER } from './log/event-reader.js';
import type { EventReader } from './log/event-reader.js';
import { Streams } from './events/streams.js';
import { RefusedError, Sluice } from './sluice.service.js';

/** What was seeded, for the first screen. */
export interface Seeded {
  readonly lines: readonly string[];
}

const ACTOR = 'demo';

/** Does nothing where others began, or where all of it stands. A seeding that was cut short goes on where it was. */
export async function seedDemo(app: INestApplication): Promise<Seeded> {
  const { firstRuns } = await import('../examples/index.js');
  const reader = app.get<EventReader>(LOG_READER, { strict: false });
  const streams = app.get(Streams, { strict: false });
  const nothing = { lines: ['Demo      the log is not empty: nothing was seeded'] };
  for await (const facts of reader.readAll({ filter: { prefixes: [streams.prefix('run')] }, limit: 1 })) {
    if (facts.some(({ metadata }) => metadata.actor !== ACTOR)) return nothing;
  }
  const sluice = app.get(Sluice, { strict: false });
  const seeded: string[] = [];
  try {
    for (const { batch, parameters, labels, reason } of firstRuns) {
      const options = { actor: ACTOR, idempotencyKey: `first ${batch}`, ...(labels && { labels }), ...(reason !== undefined && { reason }) };
      const before = await reader.head();
      const { position } = await sluice.start(batch, parameters, options);
      // An answer of before stands where it stood then.
      if (position > before) seeded.push(`  ${batch.padEnd(20)} ${reason ?? ''}`);
    }
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    seeded.push(`  cut short, the next start goes on: ${error.message}`);
  }
  return seeded.length === 0 ? nothing : { lines: ['Demo', ...seeded] };
}
