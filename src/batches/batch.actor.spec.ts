import { describe, expect, it } from '@jest/globals';
import { ActorHost } from '../actors/actor-host.js';
import { SystemClock } from '../clock.js';
import type { BatchSource } from '../events/batch.events.js';
import type { BatchDefinition } from '../events/definition.js';
import { Streams } from '../events/streams.js';
import { ids } from '../ids.js';
import { openSqliteLog } from '../log/sqlite.event-log.js';
import { batchActor, batchVersions, fingerprint } from './batch.actor.js';
import { DefineBatch, DeleteBatch, OrphanBatch } from './batch.commands.js';
import type { ExpectedVersion } from './batch.commands.js';

const ID = ids.batch('close');
const definition = (title: string): BatchDefinition => ({ name: 'close', title, steps: [{ id: 'a', type: 'job', job: 'work' }] });

function house() {
  const clock = new SystemClock();
  const streams = new Streams();
  const log = openSqliteLog({ directory: ':memory:', clock });
  const host = new ActorHost(batchActor(streams), log, log, clock);
  const origin = () => ({ actor: 'ann', roles: ['author'], via: 'rest' as const, commandId: ids.freshCommand() });
  return {
    define: (given: BatchDefinition, expected: ExpectedVersion, source: BatchSource = 'api') => host.execute(new DefineBatch(ID, { definition: given, ...fingerprint(given), source, expected }, origin())),
    orphan: () => host.execute(new OrphanBatch(ID, origin())),
    remove: () => host.execute(new DeleteBatch(ID, origin())),
    read: () => batchVersions(log, streams, ID),
  };
}

describe('a batch definition', () => {
  it('keeps every version, and who wrote it', async () => {
    const { define, read } = house();
    await define(definition('one'), 'none');
    await define(definition('two'), 1);
    const { versions, deleted } = await read();
    expect(versions.map(({ version, definition: { title }, by, stepCount }) => [version, title, by, stepCount])).toEqual([[1, 'one', 'ann', 1], [2, 'two', 'ann', 1]]);
    expect(deleted).toBe(false);
  });

  it('is changed by one of two who read the same version', async () => {
    const { define } = house();
    await define(definition('one'), 'none');
    const answers = await Promise.all([define(definition('two'), 1), define(definition('three'), 1)]);
    expect(answers.filter((answer) => 'facts' in answer)).toHaveLength(1);
    expect(answers.find((answer) => 'rejected' in answer)).toMatchObject({ rejected: 'version-conflict' });
  });

  it('refuses a name that is taken, a version that never was, and what code defines', async () => {
    const { define, remove } = house();
    expect(await define(definition('x'), 3)).toMatchObject({ rejected: 'not-found' });
    await define(definition('one'), 'any', 'code');
    expect(await define(definition('two'), 'none')).toMatchObject({ rejected: 'duplicate-name' });
    expect(await define(definition('two'), 1)).toMatchObject({ rejected: 'code-defined' });
    expect(await remove()).toMatchObject({ rejected: 'code-defined' });
  });

  it('does not flip back when an older build starts again', async () => {
    const { define, read } = house();
    await define(definition('one'), 'any', 'code');
    await define(definition('two'), 'any', 'code');
    await define(definition('one'), 'any', 'code');
    expect((await read()).versions).toHaveLength(2);
  });

  it('goes on with its stream when a deleted name is used again', async () => {
    const { define, remove, read } = house();
    await define(definition('one'), 'none');
    await remove();
    expect((await read()).deleted).toBe(true);
    expect(await remove()).toMatchObject({ facts: [] });
    await define(definition('again'), 'none');
    expect(await read()).toMatchObject({ deleted: false, versions: [{ version: 1 }, { version: 2 }] });
  });

  it('that the code no longer has is kept, and is taken back when the code has it again', async () => {
    const { define, orphan, read, remove } = house();
    await define(definition('one'), 'any', 'code');
    await orphan();
    expect(await orphan()).toMatchObject({ facts: [] });
    expect(await read()).toMatchObject({ deleted: false, orphaned: true, versions: [{ version: 1 }] });
    await define(definition('one'), 'any', 'code');
    expect(await read()).toMatchObject({ deleted: false, orphaned: false, versions: [{ version: 1 }, { version: 2 }] });
    expect(await remove()).toMatchObject({ rejected: 'code-defined' });
    await orphan();
    await remove();
    expect(await read()).toMatchObject({ deleted: true });
  });

  it('of a megabyte stands in a blob and comes back whole', async () => {
    const { define, read } = house();
    const large: BatchDefinition = { ...definition('large'), steps: [{ id: 'a', type: 'job', job: 'work', params: { text: 'x'.repeat(900_000) } }] };
    await define(large, 'none');
    expect((await read()).versions[0]?.definition).toEqual(large);
  });
});
