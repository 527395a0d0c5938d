import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ask, list, openStream, StandIn, stream } from '../../test/cli/stand-in.js';

const RUN = '0b0f3a52-6a0a-5d0e-9a53-0a4c3f1f2b10';
const DOOR = `GET /runs/${RUN}/events`;
const fact = (revision: number, type: string, data: object = {}) => ({
  stream: `run-${RUN}`, revision: String(revision), type, data, metadata: { at: '2026-11-24T11:59:00.000Z' }, id: 'i', position: `0${revision}`, recordedAt: '2026-11-24T11:59:00.001Z',
});
let server: StandIn;

beforeAll(async () => {
  server = await StandIn.open();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

describe('sluice events', () => {
  it('shows facts in their order, each on a line', async () => {
    server.on(DOOR, list([fact(0, 'RunStarted'), fact(1, 'StepDispatched', { stepId: 'a', attempt: 1 })]));
    const { code, out } = await ask(server.url, ['events', RUN]);
    expect([code, out]).toEqual([0, '   0  2026-11-24T11:59:00.000Z  RunStarted\n   1  2026-11-24T11:59:00.000Z  StepDispatched        a  {"attempt":1}\n']);
    expect((await ask(server.url, ['events', RUN], { width: 60 })).out.split('\n').every((line) => line.length <= 60)).toBe(true);
  });

  it('reads page by page, whole pages first', async () => {
    const first = Array.from({ length: 500 }, (_, at) => fact(at, 'StepDispatched'));
    server.on(DOOR, [list(first), list([fact(500, 'RunCompleted')])]);
    const { out } = await ask(server.url, ['events', RUN, '--json']);
    const document = JSON.parse(out) as { items: unknown[] };
    expect(document.items).toHaveLength(501);
    expect(server.asked.map(({ query }) => [query.get('after'), query.get('limit')])).toEqual([[null, '500'], ['499', '500']]);
  });

  it('follows to the end of the run, each fact once', async () => {
    server.on(DOOR, [list([fact(0, 'RunStarted')]), list([fact(1, 'StepDispatched')]), list([fact(2, 'RunFailed')])]);
    server.on('GET /live', stream(['execution', {}, '01'], ['run', {}, '01'], ['run', {}, '02']));
    const { code, out } = await ask(server.url, ['events', RUN, '--follow', '--json']);
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n').map((line): unknown => JSON.parse(line))).toMatchObject([{ revision: '0' }, { revision: '1' }, { revision: '2' }]);
    expect(server.at(DOOR).map(({ query }) => query.get('after'))).toEqual([null, '0', '1']);
  });

  it('goes on from where a reset begins', async () => {
    server.on(DOOR, [list([fact(0, 'RunStarted')]), list([fact(1, 'StepDispatched')]), list([fact(2, 'RunCompleted')])]);
    server.on('GET /live', [openStream(['reset', {}, '05']), stream(['run', {}, '06'])]);
    const { code, out } = await ask(server.url, ['events', RUN, '--follow']);
    expect([code, out.match(/(Run|Step)\w+/g)]).toEqual([0, ['RunStarted', 'StepDispatched', 'RunCompleted']]);
    expect(server.at('GET /live').map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '05']);
  });

  it('follows without a stream too', async () => {
    server.on(DOOR, [list([fact(0, 'RunStarted')]), 'break', 'break', 'break', list([]), list([fact(1, 'RunCompleted')])]).on('GET /live', 'break');
    const { code, out } = await ask(server.url, ['events', RUN, '--follow']);
    expect([code, out.match(/Run\w+/g)]).toEqual([0, ['RunStarted', 'RunCompleted']]);
  });
});
