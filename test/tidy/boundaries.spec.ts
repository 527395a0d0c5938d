import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CONFIG = join(ROOT, '.dependency-cruiser.cjs');

/** For every rule one import that it must refuse: [file, its text]. */
const TRESPASSES: Readonly<Record<string, readonly [file: string, text: string]>> = {
  'no-cycles': ['src/events/loop-a.ts', `import type { B } from './loop-b.js';\nexport type A = { b?: B };`],
  'writer-only-for-actors': ['src/runs/sneaky.ts', `import type { W } from '../log/event-writer.js';\nexport type S = W;`],
  'pure-files-stay-pure': ['src/runs/run.decide.ts', `import { clock } from '../clock.js';\nexport const d = clock;`],
  'pure-files-take-ids-as-types': ['src/runs/run.machine.ts', `import { ids } from '../ids.js';\nexport const m = ids;`],
  'pure-files-do-no-io': ['projections/disk.projection.ts', `import { readFileSync } from 'node:fs';\nexport const p = readFileSync;`],
  'sources-stand-alone': ['src/config.ts', `import { e } from './events/fact.js';\nexport const config = e;`],
  'room-events': ['src/events/nosy.ts', `import { r } from '../log/event-reader.js';\nexport const n = r;`],
  'room-log': ['src/log/nosy.ts', `import { a } from '../actors/actor.js';\nexport const n = a;`],
  'room-actors': ['src/actors/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-batches': ['src/batches/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-runs': ['src/runs/nosy.ts', `import { g } from '../gates/gate.js';\nexport const n = g;`],
  'room-gates': ['src/gates/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-schedules': ['src/schedules/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-jobs': ['src/jobs/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-expressions': ['src/expressions/nosy.ts', `import { e } from '../events/fact.js';\nexport const n = e;`],
  'room-reactors': ['src/reactors/nosy.ts', `import { a } from '../actors/actor.js';\nexport const n = a;`],
  'room-reading': ['src/reading/nosy.ts', `import { a } from '../actors/actor.js';\nexport const n = a;`],
  'room-audit': ['src/audit/nosy.ts', `import { a } from '../actors/actor.js';\nexport const n = a;`],
  'room-http': ['src/http/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-telemetry': ['src/telemetry/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-cli': ['src/cli/nosy.ts', `import { plan } from '../runs/plan.js';\nexport const n = plan;`],
  'room-testing': ['src/testing/nosy.ts', `import { g } from '../gates/gate.js';\nexport const n = g;`],
  'nobody-imports-the-assembly': ['src/reading/upwards.ts', `import { all } from '../sluice.module.js';\nexport const n = all;`],
  'engine-without-nest': ['src/log/nest.ts', `import { Injectable } from '@nestjs/common';\nexport const n = Injectable;`],
  'projections-see-facts': ['projections/nosy.projection.ts', `import { plan } from '../src/runs/plan.js';\nexport const n = plan;`],
  'projections-are-plugged-in': ['src/reading/host.ts', `import { p } from '../../projections/disk.projection.js';\nexport const n = p;`],
  'examples-use-the-public-door': ['examples/nosy.ts', `import { plan } from '../src/runs/plan.js';\nexport const n = plan;`],
  'examples-only-in-the-demo': ['src/http/demo.ts', `import { n } from '../../examples/nosy.js';\nexport const d = n;`],
  'log-client-behind-its-port': ['src/log/client.ts', `import { c } from '@eventstore/db-client';\nexport const n = c;`],
  'no-test-code-in-production': ['src/jobs/borrowed.ts', `import { s } from './job.spec.js';\nexport const n = s;`],
  'no-test-runner-in-the-package': ['src/testing/runner.ts', `import { expect } from '@jest/globals';\nexport const n = expect;`],
  'dashboard-stands-alone': ['dashboard/src/nosy.tsx', `import { plan } from '../../src/runs/plan.js';\nexport const n = plan;`],
  resolvable: ['src/http/lost.ts', `import { x } from './nowhere.js';\nexport const n = x;`],
};

/** What may be imported, by the rooms that may; and what the trespasses aim at. */
const ALLOWED: Readonly<Record<string, string>> = {
  'src/clock.ts': 'export const clock = 1;',
  'src/ids.ts': 'export const ids = 1; export type RunId = string;',
  'src/sluice.module.ts': `import { plan } from './runs/plan.js';\nimport type { W } from './log/event-writer.js';\nexport const all = plan; export type X = W;`,
  'src/events/fact.ts': 'export const e = 1;',
  'src/events/loop-b.ts': `import type { A } from './loop-a.js';\nexport type B = { a?: A };`,
  'src/log/event-reader.ts': `import { e } from '../events/fact.js';\nexport const r = e;`,
  'src/log/event-writer.ts': 'export type W = string;',
  'src/actors/actor.ts': `import type { W } from '../log/event-writer.js';\nimport { clock } from '../clock.js';\nexport const a = clock; export type X = W;`,
  'src/runs/plan.ts': `import { a } from '../actors/actor.js';\nimport { g } from '../gates/gate.commands.js';\nexport const plan = [a, g];`,
  'src/runs/pure.decide.ts': `import type { RunId } from '../ids.js';\nimport { plan } from './plan.js';\nexport const x = plan; export type Y = RunId;`,
  'src/runs/runs.module.ts': `import { Module } from '@nestjs/common';\nimport { z } from 'zod';\nexport const m = [Module, z];`,
  'src/gates/gate.ts': 'export const g = 1;',
  'src/gates/gate.commands.ts': 'export const g = 1;',
  'src/jobs/job.spec.ts': `import { clock } from '../clock.js';\nimport { plan } from '../runs/plan.js';\nimport { expect } from '@jest/globals';\nexport const s = [clock, plan, expect];`,
  'node_modules/@eventstore/db-client/package.json': '{"name":"@eventstore/db-client","main":"index.js"}',
  'node_modules/@eventstore/db-client/index.js': 'exports.c = 1;',
};

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

describe('The boundaries', () => {
  const house = mkdtempSync(join(tmpdir(), 'sluice-boundaries-'));
  let violations: readonly Violation[] = [];

  beforeAll(() => {
    const files = [...Object.entries(ALLOWED), ...Object.values(TRESPASSES)];
    for (const [file, text] of files) {
      mkdirSync(dirname(join(house, file)), { recursive: true });
      writeFileSync(join(house, file), `${text}\n`);
    }
    for (const name of ['@nestjs', '@jest', 'zod']) symlinkSync(join(ROOT, 'node_modules', name), join(house, 'node_modules', name), 'dir');
    for (const name of ['package.json', 'tsconfig.json']) symlinkSync(join(ROOT, name), join(house, name));
    violations = cruise(house);
  });
  afterAll(() => rmSync(house, { recursive: true, force: true }));

  it.each(Object.entries(TRESPASSES))('%s refuses its trespass', (rule, [file]) => {
    expect(violations).toContainEqual(expect.objectContaining({ from: file, rule: expect.objectContaining({ name: rule }) }));
  });

  it('let through what the rooms may do', () => {
    const wronglyRefused = violations.filter(({ from, rule }) => from in ALLOWED && rule.name !== 'no-cycles');
    expect(wronglyRefused).toEqual([]);
  });

  it('have a trespass and a reason for every rule', () => {
    const { forbidden } = createRequire(import.meta.url)(CONFIG) as { forbidden: { name: string; comment?: string }[] };
    expect(forbidden.map(({ name }) => name).sort()).toEqual(Object.keys(TRESPASSES).sort());
    expect(forbidden.filter(({ comment }) => (comment ?? '').length < 20)).toEqual([]);
  });
});

/** The command line tool leaves with the number of errors, and prints its findings either way. */
function cruise(folder: string): readonly Violation[] {
  const tool = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const args = [tool, '--config', CONFIG, '--output-type', 'json', 'src', 'projections', 'examples', 'dashboard/src'];
  const { summary } = JSON.parse(outputOf(args, folder)) as { summary: { violations: Violation[] } };
  return summary.violations;
}

function outputOf(args: readonly string[], cwd: string): string {
  try {
    return execFileSync(process.execPath, args, { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && typeof error.stdout === 'string' && error.stdout !== '') return error.stdout;
    throw error;
  }
}
