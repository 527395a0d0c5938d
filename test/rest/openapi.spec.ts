/** The document of the doors: every one that is built, with what it takes, and none that is not. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';
import { batchDefinitionSchema } from '../../src/events/definition.js';
import { expectProblem, onBoth } from './house.js';

interface Door {
  readonly summary?: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: { readonly type?: string; readonly properties?: object; readonly $ref?: string } }>> };
}

const LIST = 'limit cursor atLeast';
const FILTER = 'status batch label trigger startedBy startedAfter startedBefore endedAfter q';
/** Method and path, its query, and the fields of its body. */
const BUILT: readonly (readonly [door: string, query: string, body: string])[] = [
  ['GET /me', 'atLeast', ''],
  ['GET /about', 'atLeast', ''],
  ['GET /overview', 'from bucket atLeast', ''],
  ['GET /jobs', `q ${LIST}`, ''],
  ['GET /jobs/{name}', 'atLeast', ''],
  ['POST /jobs/{name}/runs', '', 'parameters labels'],
  ['GET /batches', `q label source hidden ${LIST}`, ''],
  ['POST /batches', '', ''],
  ['POST /batches/validate', '', ''],
  ['GET /batches/{batch}', 'atLeast', ''],
  ['PUT /batches/{batch}', '', ''],
  ['DELETE /batches/{batch}', '', ''],
  ['GET /batches/{batch}/versions', LIST, ''],
  ['GET /batches/{batch}/versions/{version}', 'atLeast', ''],
  ['POST /batches/{batch}/runs', '', 'parameters labels reason'],
  ['GET /runs', `${FILTER} sort ${LIST}`, ''],
  ['GET /runs/counts', `${FILTER} atLeast`, ''],
  ['GET /runs/{runId}', 'atLeast', ''],
  ['POST /runs/{runId}/cancel', '', 'reason'],
  ['POST /batches/{runId}/cancel', '', 'reason'],
  ['GET /metrics', '', ''],
  ['POST /executions/{id}/cancel', '', 'reason'],
  ['POST /runs/{runId}/pause', '', 'reason'],
  ['POST /runs/{runId}/resume', '', 'reason'],
  ['GET /runs/{runId}/events', 'after limit atLeast', ''],
  ['GET /executions', `status job run batch worker from to q ${LIST}`, ''],
  ['GET /executions/{id}', 'atLeast', ''],
  ['GET /approvals', `state mine run ${LIST}`, ''],
  ['GET /approvals/{id}', 'atLeast', ''],
  ['POST /approvals/{id}/approve', '', 'note digest'],
  ['POST /approvals/{id}/reject', '', 'reason digest'],
  ['GET /projections', 'atLeast', ''],
  ['GET /projections/{name}/parked', 'atLeast', ''],
  ['POST /projections/{name}/rebuild', '', ''],
  ['GET /workers', 'atLeast', ''],
  ['GET /schedules', LIST, ''],
  ['GET /batches/{batch}/schedule/occurrences', `from to ${LIST}`, ''],
  ['POST /batches/{batch}/schedule/pause', '', 'reason'],
  ['POST /batches/{batch}/schedule/resume', '', 'reason'],
  ['POST /batches/{batch}/schedule/trigger', '', 'reason'],
  ['POST /batches/{batch}/schedule/backfill', '', 'from to again dryRun'],
  ['GET /batches/{batch}/schedule/backfills/{id}', 'atLeast', ''],
  ['GET /schedules/preview', 'cron timeZone count from', ''],
  ['GET /live', 'after topics run atLeast', ''],
  ['GET /health/live', '', ''],
  ['GET /health/ready', '', ''],
];
/** Doors of the contract that are either built and listed, or say that they are not. */
const LATER: readonly string[] = [
  'GET /runs/stats', 'POST /runs/{runId}/retry', 
  'GET /audit/runs/{runId}/state', 'GET /audit/runs/{runId}/diff', 'GET /audit/runs/{runId}/export', 'GET /audit/keys', 'GET /audit/events',
  'POST /projections/{name}/cut-over', 'POST /projections/{name}/roll-back', 'POST /projections/{name}/repair',
  'GET /projections/{name}/diff', 'POST /projections/{name}/parked/{id}/retry', 'POST /projections/{name}/parked/{id}/skip',
  'GET /docs',
];
/** What a query has to say. */
const NEEDED = ['cron'];
const words = (text: string): string[] => text.split(' ').filter((word) => word !== '').sort();

onBoth('The OpenAPI document', (house) => {
  let doors = new Map<string, Door>();
  beforeAll(async () => {
    const { paths, openapi } = await house().read<{ openapi: string; paths: Record<string, Record<string, Door>> }>('/openapi.json');
    expect(openapi).toMatch(/^3\./);
    doors = new Map(Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, door]) => [`${method.toUpperCase()} ${path}`, door] as const)));
  });

  it('lists every door that is built, and none that the contract does not have', () => {
    expect([...doors.keys()]).toEqual(expect.arrayContaining(BUILT.map(([door]) => door)));
    expect([...doors.keys()].filter((door) => !LATER.includes(door) && !BUILT.some(([built]) => built === door))).toEqual([]);
  });

  it('leaves out what is not built, and that door says so', async () => {
    for (const door of LATER.filter((one) => !doors.has(one))) {
      const [method = '', path = ''] = door.split(' ');
      const answer = await house().ask(method, path.replaceAll(/\{\w+\}/g, 'x'));
      // The dashboard and the pages of the document are no doors of the document.
      if (!/dashboard|docs/.test(door) || answer.status !== 200) expect([door, expectProblem(answer, 'not-supported-yet').status]).toEqual([door, 501]);
    }
  });

  it.each(BUILT)('%s says what it takes', (name, query, body) => {
    const door = doors.get(name);
    const named = (place: string): string[] => (door?.parameters ?? []).filter((parameter) => parameter.in === place).map((parameter) => parameter.name).sort();
    expect(named('query')).toEqual(words(query));
    expect(named('path')).toEqual([...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter).sort());
    for (const parameter of door?.parameters ?? []) expect([name, parameter.name, parameter.required]).toEqual([name, parameter.name, parameter.in === 'path' || NEEDED.includes(parameter.name)]);
    expect(Object.keys(door?.requestBody?.content['application/json']?.schema.properties ?? {}).sort()).toEqual(words(body));
  });

  it('says in a few words what every door is for', () => {
    expect([...doors].filter(([, { summary = '' }]) => !/^[A-Z].{5,99}$/.test(summary)).map(([name]) => name)).toEqual([]);
  });

  it.each(['POST /batches', 'POST /batches/validate', 'PUT /batches/{batch}'])('%s says how a definition is written', (name) => {
    expect(doors.get(name)?.requestBody?.content['application/json']?.schema.$ref).toBe('#/components/schemas/BatchDefinition');
  });

  it('says that a filter may be repeated, and what it may be', () => {
    const status = doors.get('GET /runs')?.parameters.find(({ name }) => name === 'status');
    expect(status?.schema).toMatchObject({ type: 'array', items: { enum: expect.arrayContaining(['parked', 'failing']) } });
  });

  it('is what the dashboard was written from: npm run docs:dashboard-api writes that anew', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-openapi-'));
    try {
      writeFileSync(join(folder, 'openapi.json'), (await house().get('/openapi.json')).text);
      const types = execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/dashboard-api.mjs', import.meta.url)), 'types', join(folder, 'openapi.json')], { encoding: 'utf8' });
      expect(types.split('\n')).toEqual(inDashboard('openapi.d.ts').split('\n'));
      expect(JSON.parse(inDashboard('definition.schema.json'))).toEqual(z.toJSONSchema(batchDefinitionSchema, { io: 'input', unrepresentable: 'any' }));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const inDashboard = (name: string): string => readFileSync(new URL(`../../dashboard/src/api/${name}`, import.meta.url), 'utf8');
