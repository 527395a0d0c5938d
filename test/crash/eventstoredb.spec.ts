/** Crash matrix and simulation on EventStoreDB: its wire double, or the server that EVENTSTORE_URL names. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Streams } from '../../src/events/streams.js';
import { openEventStoreLog } from '../../src/log/eventstoredb.event-log.js';
import { EventStoreDouble } from '../eventstoredb/double.js';
import { POINTS } from '../simulation/crash-at.js';
import { inTurn, matrix } from '../simulation/matrix.js';
import { SCENARIOS } from '../simulation/scenarios.js';
import { simulate } from '../simulation/simulate.js';
import type { LogElsewhere } from '../simulation/world.js';

const LIMIT_MS = 3_600_000;
const SEED = Number(process.env['SLUICE_TEST_SEED'] ?? Math.trunc(Math.random() * 1e9));
const MINUTES = 5;
const real = process.env['EVENTSTORE_URL'] ?? '';
const extent = inTurn(SEED);

describe('On EventStoreDB', () => {
  let double: EventStoreDouble | undefined;
  beforeAll(async () => {
    if (real === '') double = await new EventStoreDouble().start();
  });
  afterAll(() => double?.kill());

  const open = async (): Promise<LogElsewhere> => {
    const namespace = `m${randomUUID().slice(0, 8)}`;
    return { namespace, log: await openEventStoreLog({ url: double?.url ?? real, streams: new Streams(namespace) }) };
  };

  it('every scenario comes to the same wherever a node dies', async () => {
    const { appends, cases, crashes, failures } = await matrix(SCENARIOS, { open }, extent);
    process.stdout.write(`crash matrix on ${real === '' ? 'the double' : 'the server'}: ${appends.size} scenarios, points turned by ${SEED % POINTS.length}, ${cases} cases, ${crashes} crashes\n`);
    expect(failures).toEqual([]);
    expect(cases).toBe([...appends.values()].reduce((sum, one) => sum + one, 0) * extent.pointsOfEach);
    expect(crashes).toBeGreaterThanOrEqual(cases);
  }, LIMIT_MS);

  it('the simulation breaks no rule', async () => {
    const { broken, story, fingerprint: _, ...counts } = await simulate(SEED, MINUTES * 60_000, await open());
    process.stdout.write(`simulation: ${JSON.stringify(counts)}\n`);
    expect(broken.length === 0 ? '' : `seed ${SEED}\n${story}\n${broken.join('\n')}`).toBe('');
    expect(Math.min(counts.runs, counts.deaths, counts.faults, counts.twice, counts.heldBack)).toBeGreaterThan(0);
  }, LIMIT_MS);
});
