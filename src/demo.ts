/** The demo: first runs of the examples, in an empty log only. */
import type { INestApplication } from '@nestjs/common';
import { LOG_READER } from './log/event-reader.js';
import type { EventReader } from './log/event-reader.js';
import { Streams } from './events/streams.js';
import { Sluice } from './sluice.service.js';

/** What was seeded, for the first screen. */
export interface Seeded {
  readonly lines: readonly string[];
}

const ACTOR = 'demo';

/** Does nothing where a run was ever started. Keys make a seeding that was cut short go on where it was. */
export async function seedDemo(app: INestApplication): Promise<Seeded> {
  const { firstRuns } = await import('../examples/index.js');
  const reader = app.get<EventReader>(LOG_READER, { strict: false });
  const streams = app.get(Streams, { strict: false });
  for await (const facts of reader.readAll({ filter: { prefixes: [streams.prefix('run')] }, limit: 1 })) {
    if (facts.some(({ metadata }) => metadata.actor !== ACTOR)) return { lines: ['Demo      the log is not empty: nothing was seeded'] };
  }
  const sluice = app.get(Sluice, { strict: false });
  for (const { batch, parameters, labels, reason } of firstRuns) {
    await sluice.start(batch, parameters, { actor: ACTOR, idempotencyKey: `first ${batch}`, ...(labels && { labels }), ...(reason !== undefined && { reason }) });
  }
  return { lines: ['Demo', ...firstRuns.map(({ batch, reason }) => `  ${batch.padEnd(20)} ${reason ?? ''}`)] };
}
