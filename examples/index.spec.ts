import { describe, expect, it } from '@jest/globals';
import { checkDefinition, notSupportedYet } from '../src/batches/check-definition.js';
import { checkParameters } from '../src/batches/run-parameters.js';
import { labelsSchema } from '../src/events/definition.js';
import { JobRegistry } from '../src/jobs/job-registry.js';
import { batches, firstRuns, jobs } from './index.js';

const registry = new JobRegistry();
for (const job of jobs) registry.register(job);

describe('the examples', () => {
  it.each(batches.map((batch) => [batch.name, batch] as const))('define %s without a fault or a warning, and use nothing that is not built', (_name, batch) => {
    expect(checkDefinition(JSON.parse(JSON.stringify(batch)), { jobs: (name) => registry.has(name) })).toMatchObject({ errors: [], warnings: [] });
    expect(notSupportedYet(batch)).toEqual([]);
  });

  it('tell what each job is for, and declare what it takes and gives', () => {
    for (const name of registry.names()) {
      expect(registry.describe(name).description).toMatch(/\w+ \w+/);
      expect(registry.declaredKeys(name)?.length).toBeGreaterThan(0);
      expect(registry.describe(name).outputs).toHaveProperty('properties');
    }
  });

  it.each(firstRuns.map((run) => [run.batch, run] as const))('begin with a run of %s whose parameters and labels fit', (name, run) => {
    const batch = batches.find((other) => other.name === name);
    expect(checkParameters(batch?.parameters, run.parameters).errors).toEqual([]);
    expect(labelsSchema.safeParse(run.labels).success).toBe(true);
  });

  it('begin with one run of each batch', () => {
    expect(firstRuns.map(({ batch }) => batch).sort()).toEqual(batches.map(({ name }) => name).sort());
  });
});
