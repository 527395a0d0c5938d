/**
 * Records what is not recorded yet, on the real engine: a history per scenario, a golden fact per type and version.
 * What stands there is never written again: it is what some log out there holds.
 *
 *   node --import ./test/typescript-loader.mjs test/histories/record.ts
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ActorHost } from '../../src/actors/actor-host.js';
import { batchActor, fingerprint } from '../../src/batches/batch.actor.js';
import { DefineBatch, DeleteBatch } from '../../src/batches/batch.commands.js';
import { SystemClock } from '../../src/clock.js';
import { batchUpcasting } from '../../src/events/batch.events.js';
import type { BatchDefinition } from '../../src/events/definition.js';
import { GENESIS_HASH, sealFact } from '../../src/events/envelope.js';
import { runUpcasting } from '../../src/events/run.events.js';
import { scheduleUpcasting } from '../../src/events/schedule.events.js';
import { ids } from '../../src/ids.js';
import type { StoredFact } from '../../src/log/event-reader.js';
import { replayRun } from '../../src/runs/run.replay.js';
import { runTypeScript } from '../child-process.js';
import { openEngine } from '../scenarios/engine.js';
import type { Engine } from '../scenarios/engine.js';
import { endOf, GOLDEN_FACTS, HISTORIES, planOf } from './history.js';
import { SCENARIOS } from './scenarios.js';
import { lifeOfASchedule } from './schedule-life.js';

const BATCHES: readonly BatchDefinition[] = Object.entries(SCENARIOS).flatMap(([name, { batch, early }]) => (early ? [] : [{ name, ...batch }]));
const open = (directory: string): Promise<Engine> => openEngine(directory, { jobs: [], batches: BATCHES });

const [directoryOfVictim, victim] = process.argv.slice(2);
if (directoryOfVictim !== undefined && victim !== undefined) await beginAndWait(directoryOfVictim, victim);
else await record();

async function record(): Promise<void> {
  await mkdir(GOLDEN_FACTS, { recursive: true });
  const seen: StoredFact[] = [];
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-record-'));
    if (scenario.killed) await killOneThatBegan(directory, name);
    const engine = await open(directory);
    if (scenario.early) await define(engine, { name, ...scenario.batch });
    const runId = await engine.start(name, name);
    await scenario.drive?.(engine, runId);
    const recorded = scenario.records?.(runId) ?? runId;
    await engine.until(recorded, 'completed', 'failed', 'cancelled');
    const batch = await engine.log.readStream(engine.streams.batch(ids.batch(name)));
    const run = await engine.facts(recorded);
    await engine.close();
    await rm(directory, { recursive: true });
    seen.push(...run);
    await writeOnce(new URL(`${name}.json`, HISTORIES), historyText(name, batch, run));
  }
  seen.push(...(await lifeOfABatch()), ...(await lifeOfASchedule()));
  for (const fact of seen) await writeOnce(new URL(`${fact.type}.v${fact.metadata['schemaVersion']}.json`, GOLDEN_FACTS), `${JSON.stringify(fact, null, 2)}\n`);
  for (const upcasting of [runUpcasting, batchUpcasting, scheduleUpcasting]) {
    const missing = [...upcasting.types].filter((type) => !existsSync(new URL(`${type}.v${upcasting.versionOf(type)}.json`, GOLDEN_FACTS)));
    if (missing.length > 0) throw new Error(`No scenario makes ${missing.join(', ')}: add one.`);
  }
}

async function killOneThatBegan(directory: string, name: string): Promise<void> {
  const child = runTypeScript(fileURLToPath(import.meta.url), { args: [directory, name] });
  await child.line(/^began$/);
  child.kill('SIGKILL');
  await child.exited;
}

async function beginAndWait(directory: string, name: string): Promise<void> {
  const engine = await open(directory);
  await engine.said(await engine.start(name, name), 'StepStarted');
  process.stdout.write('began\n');
  setInterval(() => undefined, 1_000);
}

/** Past the check that every definition from outside goes through. */
async function define({ log, streams }: Engine, definition: BatchDefinition): Promise<{ deleted(): Promise<void> }> {
  const host = new ActorHost(batchActor(streams), log, log, new SystemClock());
  const origin = () => ({ actor: 'ann', roles: ['author'], via: 'rest' as const, commandId: ids.freshCommand() });
  const batchId = ids.batch(definition.name);
  await host.execute(new DefineBatch(batchId, { definition, ...fingerprint(definition), source: 'api', expected: 'none' }, origin()));
  return { deleted: async () => void (await host.execute(new DeleteBatch(batchId, origin()))) };
}

/** What no run says. Nothing says `BatchOrphaned` yet: it is sealed here as a node will. */
async function lifeOfABatch(): Promise<readonly StoredFact[]> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-record-'));
  const engine = await open(directory);
  const { log, streams } = engine;
  const definition: BatchDefinition = { name: 'short-lived', title: 'Short-lived', labels: { team: 'finance' }, steps: [{ id: 'a', type: 'job', job: 'obey' }] };
  const batchId = ids.batch(definition.name);
  await (await define(engine, definition)).deleted();
  const facts = await log.readStream(streams.batch(batchId));
  const last = facts.at(-1)!;
  const metadata = { ...last.metadata, schemaVersion: String(batchUpcasting.versionOf('BatchOrphaned')) };
  const orphaned = sealFact({
    stream: last.stream, revision: last.revision + 1, prevHash: last.metadata['hash'] ?? GENESIS_HASH, id: ids.event(ids.freshCommand(), 0),
    type: 'BatchOrphaned', data: { batchId, name: definition.name }, metadata,
  });
  await log.append(last.stream, last.revision, [orphaned]);
  const all = await log.readStream(last.stream);
  await engine.close();
  await rm(directory, { recursive: true });
  return all;
}

/** A fact a line, so that a reader sees the story. */
function historyText(scenario: string, batch: readonly StoredFact[], run: readonly StoredFact[]): string {
  const lines = (facts: readonly StoredFact[]): string => facts.map((fact) => `    ${JSON.stringify(fact)}`).join(',\n');
  const end = endOf(replayRun(planOf({ batch, run }), run));
  return `{\n  "scenario": ${JSON.stringify(scenario)},\n  "batch": [\n${lines(batch)}\n  ],\n  "run": [\n${lines(run)}\n  ],\n  "end": ${JSON.stringify(end)}\n}\n`;
}

async function writeOnce(file: URL, text: string): Promise<void> {
  if (existsSync(file)) return;
  await writeFile(file, text, { flag: 'wx' });
  process.stdout.write(`recorded ${file.pathname.split('/').at(-1)}\n`);
}
