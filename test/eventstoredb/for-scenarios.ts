/** Before the scenarios of a file: a wire double of EventStoreDB, or the server that EVENTSTORE_URL names. */
import { afterAll, beforeAll, jest } from '@jest/globals';
import { EventStoreDouble } from './double.js';

// Another process and another protocol lie between a scenario and its log.
jest.setTimeout(240_000);
// What an adapter does is proved on the embedded log; here it is the log that is another.
process.env['SLUICE_TEST_ADAPTER'] = 'Fastify';

let double: EventStoreDouble | undefined;

beforeAll(async () => {
  const real = process.env['EVENTSTORE_URL'];
  if (real === undefined || real === '') double = await new EventStoreDouble().start();
  process.env['SLUICE_TEST_EVENTS_URL'] = double?.url ?? real;
});

afterAll(() => {
  double?.kill();
  delete process.env['SLUICE_TEST_EVENTS_URL'];
});
