import { describe, expect, it } from '@jest/globals';
import { fileURLToPath } from 'node:url';
import { runTypeScript } from '../../test/child-process.js';
import { sleepOn } from '../clock.js';
import { jobFailureOf } from './job-errors.js';
import { JobRegistry } from './job-registry.js';
import { obedientJob, type ObedientParameters } from './obedient.job.js';

/** Time that passes only when the test says so. */
class HandClock {
  private time = 0;
  private wakes: { at: number; wake: () => void }[] = [];

  now(): number {
    return this.time;
  }
  wakeAt(at: number, wake: () => void): () => void {
    const entry = { at, wake };
    this.wakes.push(entry);
    return () => (this.wakes = this.wakes.filter((other) => other !== entry));
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }
  advance(ms: number): void {
    this.time += ms;
    const due = this.wakes.filter(({ at }) => at <= this.time);
    this.wakes = this.wakes.filter(({ at }) => at > this.time);
    due.forEach(({ wake }) => wake());
  }
  get waiting(): number {
    return this.wakes.length;
  }
}

interface Trial {
  readonly clock: HandClock;
  readonly stop: AbortController;
  /** How it ended, or undefined while it runs. */
  ended(): Promise<unknown>;
}

const ignore = (): void => undefined;

/** Starts `obey`, its parameters going through its own schema as in a run. */
async function obey(params: Partial<ObedientParameters>, attempt = 1): Promise<Trial> {
  const clock = new HandClock();
  const stop = new AbortController();
  const registry = new JobRegistry();
  const job = obedientJob(clock);
  registry.register(job);
  const checked = await registry.validateParameters('obey', params);
  if (!checked.ok) throw new Error(checked.issues.map(({ path, message }) => `${path} ${message}`).join('; '));
  let end: unknown;
  const handler = await registry.get('obey')?.resolveHandler();
  void handler
    ?.run({
      runId: 'run', stepId: 'step', executionId: 'execution', attempt, idempotencyKey: 'key', params: checked.value,
      outputs: {}, signal: stop.signal, progress: ignore, log: { info: ignore, warn: ignore, error: ignore },
    })
    .then(
      (outputs) => (end = { outputs }),
      (error: unknown) => (end = error),
    );
  return {
    clock,
    stop,
    ended: async () => {
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      return end;
    },
  };
}

describe('obey', () => {
  it('succeeds at once with its outputs, unless told otherwise', async () => {
    const trial = await obey({ outputs: { rows: 3, list: [1, null] } });
    expect(await trial.ended()).toEqual({ outputs: { rows: 3, list: [1, null] } });
    expect(await (await obey({})).ended()).toEqual({ outputs: {} });
  });

  it('waits first', async () => {
    const trial = await obey({ do: 'succeed', ms: 50 });
    trial.clock.advance(49);
    expect(await trial.ended()).toBeUndefined();
    trial.clock.advance(1);
    expect(await trial.ended()).toEqual({ outputs: {} });
  });

  it('fails so that it is tried again, or for good', async () => {
    expect(jobFailureOf(await (await obey({ do: 'fail' })).ended()).error).toEqual({ kind: 'error', code: 'obeyed', message: 'told to fail', retryable: true });
    expect(jobFailureOf(await (await obey({ do: 'fail-terminal' })).ended()).error).toMatchObject({ kind: 'terminal', retryable: false });
  });

  it('waits before it fails', async () => {
    const trial = await obey({ do: 'fail', ms: 10 });
    expect(await trial.ended()).toBeUndefined();
    trial.clock.advance(10);
    expect(await trial.ended()).toBeInstanceOf(Error);
  });

  it('fails the first attempts only', async () => {
    const ends = await Promise.all([1, 2, 3].map(async (attempt) => (await obey({ failTimes: 2 }, attempt)).ended()));
    expect(ends.map((end) => end instanceof Error)).toEqual([true, true, false]);
    expect(ends[0]).toMatchObject({ message: 'told to fail the first 2 attempts; this was attempt 1' });
    expect(ends[2]).toEqual({ outputs: {} });
  });

  it('hangs until its signal, and ends with the reason', async () => {
    const trial = await obey({ do: 'hang' });
    trial.clock.advance(1e9);
    expect(await trial.ended()).toBeUndefined();
    const reason = new Error('cancelled by anna');
    trial.stop.abort(reason);
    expect(await trial.ended()).toBe(reason);
  });

  it.each(['succeed', 'fail', 'fail-terminal', 'hang', 'crash'] as const)('heeds its signal while it waits to %s, and leaves no timer', async (what) => {
    const trial = await obey({ do: what, ms: 1_000 });
    expect(trial.clock.waiting).toBe(1);
    const reason = new Error('shutdown');
    trial.stop.abort(reason);
    expect(await trial.ended()).toBe(reason);
    expect(trial.clock.waiting).toBe(0);
  });

  it('ignores its signal when stubborn', async () => {
    const trial = await obey({ do: 'stubborn', ms: 1_000, outputs: { late: true } });
    trial.stop.abort();
    trial.clock.advance(999);
    expect(await trial.ended()).toBeUndefined();
    trial.clock.advance(1);
    expect(await trial.ended()).toEqual({ outputs: { late: true } });
  });

  it('ends the process when told to crash, without a word', async () => {
    const child = runTypeScript(fileURLToPath(new URL('../../test/jobs/obey.child.ts', import.meta.url)));
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(child.lines).toEqual(['started']);
  });

  it.each([{ do: 'dance' }, { ms: -1 }, { ms: 0.5 }, { failTimes: 'x' }, { outputs: { at: undefined } }, { outputs: [] }, { unknown: 1 }])('refuses %j', async (params) => {
    const registry = new JobRegistry();
    registry.register(obedientJob(new HandClock()));
    expect(await registry.validateParameters('obey', params)).toMatchObject({ ok: false });
  });

  it('declares its keys', () => {
    const registry = new JobRegistry();
    registry.register(obedientJob(new HandClock()));
    expect(registry.declaredKeys('obey')).toEqual(['do', 'failTimes', 'ms', 'outputs']);
  });
});
