/** The command line in processes of its own, against a server in one of its own, over the real doors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runTypeScript, type Child } from '../child-process.js';

const CLI = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
const PATIENCE_MS = 180_000;

const work = (id: string, params: object = {}): object => ({ id, type: 'job', job: 'obey', params });
const gate = { id: 'ok', type: 'gate', title: 'Is {{ params.what }} right?', allowedRoles: ['boss'] };
const BATCHES = [
  { name: 'walk', parameters: [{ name: 'what', kind: 'string', required: true }], steps: [work('one', { outputs: { n: 1 } }), work('two')] },
  { name: 'gated', parameters: [{ name: 'what', kind: 'string', default: 'it' }], steps: [work('before'), gate, work('after')] },
  { name: 'hanging', steps: [work('stuck', { do: 'hang' })] },
  { name: 'failing', steps: [work('bad', { do: 'fail-terminal' })] },
];

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'));
let server: Child;
let url = '';

async function start(port: string): Promise<void> {
  const env = { SLUICE_PORT: port, SLUICE_DATA: join(folder, 'data'), SLUICE_DEMO: 'on', SLUICE_LOG_LEVEL: 'warn' };
  server = runTypeScript(CLI, { args: ['start'], env });
  const line = await server.line(/listening on http:/);
  url = /http:\/\/[\w.:[\]]+/.exec(line)?.[0] ?? '';
}

function begin(...args: readonly string[]): Child {
  return runTypeScript(CLI, { args: [...args], env: { SLUICE_URL: url } });
}

async function endOf(child: Child): Promise<Ended> {
  const { code } = await child.exited;
  return { code, out: child.lines.join('\n'), err: child.errors() };
}

const sluice = (...args: readonly string[]): Promise<Ended> => endOf(begin(...args));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const idIn = (text: string): string => UUID.exec(text)?.[0] ?? '';

beforeAll(async () => {
  await start('0');
  expect(await sluice('batches', 'apply', file('batches.json', BATCHES))).toMatchObject({ code: 0, err: '' });
}, PATIENCE_MS);
afterAll(async () => {
  server.kill('SIGTERM');
  await server.exited;
  rmSync(folder, { recursive: true, force: true });
}, PATIENCE_MS);

describe('The command line', () => {
  it('applies definitions as often as one likes', async () => {
    const changed = { name: 'changing', title: 'Before', steps: [work('one')] };
    expect((await sluice('batches', 'apply', file('c.json', changed))).out).toBe('created changing, version 1');
    expect((await sluice('batches', 'apply', file('c.json', changed))).out).toBe('unchanged changing, version 1');
    expect((await sluice('batches', 'apply', file('c.json', { ...changed, title: 'After' }))).out).toBe('updated changing, version 2');
    expect((await sluice('batches')).out).toMatch(/^changing +After +2 /m);
  }, PATIENCE_MS);

  it('tells every fault of a definition with its place', async () => {
    const faulty = { name: 'faulty', steps: [work('a'), work('a'), { id: 'g', type: 'gate', allowedRoles: [] }] };
    const { code, err } = await sluice('batches', 'apply', file('f.json', faulty));
    expect(code).toBe(1);
    expect(err).toMatch(/^ {2}\/steps\/1\/id: /m);
    expect(err).toMatch(/^ {2}\/steps\/2\/allowedRoles: /m);
  }, PATIENCE_MS);

  it('watches a run to its completion', async () => {
    const { code, out, err } = await sluice('run', 'walk', '-p', 'what=this', '--label', 'by=cli', '-m', 'to see it', '--watch');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/ one +succeeded/);
    expect(out).toMatch(/ two +succeeded/);
    expect(out).toMatch(/^Run \S+ completed after /m);
    const shown = await sluice('show', idIn(out));
    expect(shown.out).toMatch(/reason +to see it[^]*labels +by=cli[^]*parameters +\{"what":"this"\}[^]*2 of 2 succeeded/);
  }, PATIENCE_MS);

  it('refuses a run with the faults of its parameters', async () => {
    expect(await sluice('run', 'walk', '-p', 'whom=7')).toMatchObject({ code: 1, err: expect.stringMatching(/\/parameters\/what: [^]*\/parameters\/whom: |\/parameters\/whom: [^]*\/parameters\/what: /) });
    expect(await sluice('run', 'nobody')).toMatchObject({ code: 1, err: expect.stringMatching(/nobody/) });
  }, PATIENCE_MS);

  it('starts one run for one key', async () => {
    const [first, second] = [await sluice('run', 'walk', '-p', 'what=x', '--key', 'k'), await sluice('run', 'walk', '-p', 'what=x', '--key', 'k')];
    expect(second.out).toMatch(/was started with this key before/);
    expect(idIn(second.out)).toBe(idIn(first.out));
  }, PATIENCE_MS);

  it('says who a gate waits for, and goes on when it is approved', async () => {
    const watching = begin('run', 'gated', '-p', 'what=all', '--watch');
    await watching.line(/waits for .*boss.*Is all right\?/);
    const approval = idIn(await watching.line(/sluice approve /));
    expect((await sluice('approvals')).out).toMatch(new RegExp(`^${approval} +pending +Is all right\\? +boss `, 'm'));
    expect((await sluice('show', idIn(watching.lines[0] ?? ''))).out).toMatch(/ok +gate +waiting[^]*Waits for[^]*Allowed now .*cancel/);
    expect(await sluice('approve', approval, '--user', 'eve', '--roles', 'operator')).toMatchObject({ code: 1, err: expect.stringMatching(/boss/) });
    expect(await sluice('approve', approval, '-m', 'fine', '--user', 'bo', '--roles', 'boss')).toMatchObject({ code: 0, out: expect.stringMatching(/approved/) });
    const { code, out } = await endOf(watching);
    expect([code, out]).toEqual([0, expect.stringMatching(/ after +succeeded[^]*completed after/)]);
    expect((await sluice('approvals', '--all')).out).toMatch(new RegExp(`^${approval} +approved `, 'm'));
    const again = await sluice('approve', approval, '--user', 'bea', '--roles', 'boss');
    expect(again).toMatchObject({ code: 1, err: expect.stringMatching(/decided/) });
  }, PATIENCE_MS);

  it('ends with 1 when the gate is rejected', async () => {
    const watching = begin('run', 'gated', '--watch');
    const approval = idIn(await watching.line(/sluice approve /));
    expect((await sluice('reject', approval, '-m', 'not today', '--user', 'bo', '--roles', 'boss')).code).toBe(0);
    const { code, out } = await endOf(watching);
    expect([code, out]).toEqual([1, expect.stringMatching(/^Run \S+ failed after .*not today/m)]);
  }, PATIENCE_MS);

  it('ends with 1 when the run fails', async () => {
    expect(await sluice('run', 'failing', '--watch')).toMatchObject({ code: 1, out: expect.stringMatching(/ bad +failed +.*told to fail for good[^]*^Run \S+ failed after /m) });
  }, PATIENCE_MS);

  it('cancels, and follows that to the end', async () => {
    const started = idIn((await sluice('run', 'hanging')).out);
    expect(await sluice('cancel', started, '-m', 'enough', '--watch')).toMatchObject({ code: 0, out: expect.stringMatching(/^Run \S+ cancelled/m) });
    expect(await sluice('cancel', started, '-m', 'enough')).toMatchObject({ code: 0, out: expect.stringMatching(/is cancelled/) });
    const ended = idIn((await sluice('run', 'walk', '-p', 'what=x', '--watch')).out);
    expect(await sluice('cancel', ended, '-m', 'too late')).toMatchObject({ code: 1, err: expect.stringMatching(/ended|completed/) });
  }, PATIENCE_MS);

  it('shows the facts of a run, and follows them to its end', async () => {
    const watching = begin('run', 'hanging');
    const started = idIn((await endOf(watching)).out);
    const following = begin('events', started, '--follow', '--json');
    await following.line(/StepStarted/);
    await sluice('cancel', started, '-m', 'seen enough');
    expect((await following.exited).code).toBe(0);
    const types = following.lines.map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types.slice(0, 1)).toEqual(['RunStarted']);
    expect(types.slice(-1)).toEqual(['RunCancelled']);
    expect(new Set(types).size).toBe(types.length);
    expect((await sluice('events', started)).out.split('\n')).toHaveLength(types.length);
  }, PATIENCE_MS);

  it('gives programs JSON', async () => {
    const page = JSON.parse((await sluice('runs', '--json', '--limit', '2', '--batch', 'walk')).out) as { items: { batchName: string }[] };
    expect(page.items.map(({ batchName }) => batchName)).toEqual(['walk', 'walk']);
    const lines = (await sluice('run', 'walk', '-p', 'what=x', '--watch', '--json')).out.split('\n').map((line) => JSON.parse(line) as { event: string; data: object });
    expect([lines[0]?.event, lines.at(-1)?.event]).toEqual(['started', 'run']);
    expect(lines.at(-1)?.data).toMatchObject({ status: 'completed' });
  }, PATIENCE_MS);

  it('lists jobs, runs and counts', async () => {
    expect((await sluice('jobs')).out).toMatch(/^obey +do, ms, failTimes, outputs /m);
    expect((await sluice('runs', '--status', 'failed')).out).toMatch(new RegExp(`^${UUID.source} +failing +failed `, 'm'));
    expect((await sluice('counts')).out).toMatch(/^completed +\d+$[^]*runs in all\.$/m);
  }, PATIENCE_MS);

  it('watches on when the server was killed and is there again', async () => {
    const watching = begin('run', 'hanging', '--watch');
    await watching.line(/stuck +running/);
    server.kill('SIGKILL');
    await server.exited;
    await start(new URL(url).port);
    const started = idIn(watching.lines[0] ?? '');
    expect((await sluice('cancel', started, '-m', 'enough')).code).toBe(0);
    const { code, out } = await endOf(watching);
    expect([code, out]).toEqual([1, expect.stringMatching(/^Run \S+ cancelled/m)]);
  }, PATIENCE_MS);
});
