import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, Scope, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { DiscoveryModule, REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { z } from 'zod';
import { defineJob, Job, type JobContext, type JobHandler } from './job.js';
import { JobDiscovery } from './job-discovery.js';
import { JobRegistry, type JobAttempt } from './job-registry.js';

@Injectable()
class Ledger {
  readonly rows = 3;
}

@Job({ name: 'singleton', parameters: z.object({ day: z.string() }) })
@Injectable()
class SingletonJob implements JobHandler<{ day: string }> {
  constructor(private readonly ledger: Ledger) {}
  async run({ params }: JobContext<{ day: string }>): Promise<string> {
    return `${params.day}: ${this.ledger.rows}`;
  }
}

@Job({ name: 'per-attempt' })
@Injectable({ scope: Scope.REQUEST })
class RequestScopedJob implements JobHandler {
  static made = 0;
  constructor(@Inject(REQUEST) readonly request: JobAttempt) {
    RequestScopedJob.made += 1;
  }
  async run(): Promise<JobAttempt> {
    return this.request;
  }
}

@Injectable({ scope: Scope.REQUEST })
class Tenant {}

@Job({ name: 'depends-on-request' })
@Injectable()
class DependentJob implements JobHandler {
  constructor(readonly tenant: Tenant) {}
  async run(): Promise<Tenant> {
    return this.tenant;
  }
}

@Job({ name: 'transient' })
@Injectable({ scope: Scope.TRANSIENT })
class TransientJob implements JobHandler {
  async run(): Promise<this> {
    return this;
  }
}

@Module({ imports: [DiscoveryModule], providers: [JobRegistry, JobDiscovery], exports: [JobRegistry] })
class JobsModule {}

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function registryOf(metadata: ModuleMetadata): Promise<JobRegistry> {
  const module = await Test.createTestingModule({ ...metadata, imports: [JobsModule, ...(metadata.imports ?? [])] }).compile();
  app = module.createNestApplication({ logger: false });
  await app.init();
  return app.get(JobRegistry);
}

const attempt = (n: number): JobAttempt => ({ runId: 'run', stepId: 'step', executionId: `execution-${n}`, attempt: n });

function contextOf<P>(params: P): JobContext<P> {
  const unused = (): void => undefined;
  return {
    ...attempt(1), idempotencyKey: 'key', params, outputs: {}, signal: new AbortController().signal,
    progress: unused, log: { info: unused, warn: unused, error: unused },
  };
}

async function handlerOf(registry: JobRegistry, name: string, of: JobAttempt = attempt(1)): Promise<JobHandler> {
  const handler = await registry.get(name)?.resolveHandler(of);
  if (handler === undefined) throw new Error(`${name} is not registered`);
  return handler;
}

describe('JobDiscovery', () => {
  it('registers a decorated provider with its dependencies, once for all attempts', async () => {
    const registry = await registryOf({ providers: [Ledger, SingletonJob] });
    const handler = await handlerOf(registry, 'singleton');
    expect(await handler.run(contextOf({ day: 'Monday' }))).toBe('Monday: 3');
    expect(await handlerOf(registry, 'singleton', attempt(2))).toBe(handler);
    expect(registry.declaredKeys('singleton')).toEqual(['day']);
    expect(registry.get('singleton')?.origin).toMatch(/^SingletonJob in /);
  });

  it('makes a request-scoped provider anew for each attempt, and gives it the attempt as its request', async () => {
    RequestScopedJob.made = 0;
    const registry = await registryOf({ providers: [RequestScopedJob] });
    expect(RequestScopedJob.made).toBe(0);
    const first = await handlerOf(registry, 'per-attempt', attempt(1));
    const second = await handlerOf(registry, 'per-attempt', attempt(2));
    expect(RequestScopedJob.made).toBe(2);
    expect(await Promise.all([first, second].map((handler) => handler.run(contextOf({}))))).toEqual([attempt(1), attempt(2)]);
  });

  it('makes a provider anew that depends on a request-scoped one', async () => {
    const registry = await registryOf({ providers: [Tenant, DependentJob] });
    const tenants = await Promise.all([1, 2].map(async (n) => (await handlerOf(registry, 'depends-on-request', attempt(n))).run(contextOf({}))));
    expect(tenants[0]).toBeInstanceOf(Tenant);
    expect(tenants[0]).not.toBe(tenants[1]);
  });

  it('makes a transient provider anew for each attempt', async () => {
    const registry = await registryOf({ providers: [TransientJob] });
    const [first, second] = await Promise.all([1, 2].map((n) => handlerOf(registry, 'transient', attempt(n))));
    expect(first).toBeInstanceOf(TransientJob);
    expect(first).not.toBe(second);
  });

  it('finds jobs in every module, under any token, and made by a factory', async () => {
    @Job({ name: 'made' })
    class MadeJob implements JobHandler {
      async run(): Promise<number> {
        return 1;
      }
    }
    @Module({ providers: [Ledger, { provide: 'ledger-job', useClass: SingletonJob }, { provide: 'made-job', useFactory: () => new MadeJob() }] })
    class FinanceModule {}
    const registry = await registryOf({ imports: [FinanceModule] });
    expect(registry.names()).toEqual(['made', 'singleton']);
    expect(await handlerOf(registry, 'made')).toBeInstanceOf(MadeJob);
  });

  it('takes an alias for the same job', async () => {
    const registry = await registryOf({ providers: [Ledger, SingletonJob, { provide: 'alias', useExisting: SingletonJob }] });
    expect(registry.names()).toEqual(['singleton']);
  });

  it('leaves providers alone that are no jobs', async () => {
    expect((await registryOf({ providers: [Ledger, Tenant] })).names()).toEqual([]);
  });

  it('stops the start when two providers want the same name, and names both', async () => {
    @Job({ name: 'singleton' })
    class Impostor implements JobHandler {
      async run(): Promise<number> {
        return 1;
      }
    }
    await expect(registryOf({ providers: [Ledger, SingletonJob, Impostor] })).rejects.toThrow(
      /"singleton" is registered twice: by SingletonJob in \w+ and by Impostor in \w+/,
    );
  });

  it('stops the start when a discovered job has the name of one that was given', async () => {
    const given = new JobRegistry();
    given.register(defineJob({ name: 'singleton', run: async () => 1 }));
    const module = await Test.createTestingModule({
      imports: [DiscoveryModule],
      providers: [{ provide: JobRegistry, useValue: given }, JobDiscovery, Ledger, SingletonJob],
    }).compile();
    await expect(module.init()).rejects.toThrow('by defineJob and by SingletonJob');
  });

  it('stops the start when a decorated class has no run', async () => {
    class Runless {}
    Reflect.apply(Job({ name: 'runless' }), undefined, [Runless]);
    await expect(registryOf({ providers: [Runless] })).rejects.toThrow('The job "runless" of Runless');
  });
});
