/**
 * JobDiscovery: finds the application's `@Job` providers.
 *
 * Owns: the way from a decorated provider to a registered job. Does not own: the registry, the lives of providers (Nest's).
 * Talks to: Nest's DiscoveryService and ModuleRef; `JobRegistry.registerResolved`.
 *
 * 1. A provider of the default scope is one handler for all attempts.
 * 2. A request-scoped or transient provider, or one that depends on such, is made anew for each attempt.
 */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ContextIdFactory, DiscoveryService, ModuleRef } from '@nestjs/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { jobOptionsOf, type JobHandler, type JobOptions } from './job.js';
import { InvalidJobError, JobRegistry, type JobAttempt, type JobHandlerResolver } from './job-registry.js';

type Provider = ReturnType<DiscoveryService['getProviders']>[number];

@Injectable()
export class JobDiscovery implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly modules: ModuleRef,
    private readonly registry: JobRegistry,
  ) {}

  /** @throws DuplicateJobError, InvalidJobError: the application must not start with a job that can't be meant. */
  onModuleInit(): void {
    for (const provider of this.discovery.getProviders()) {
      const options = optionsOf(provider);
      if (options !== undefined) this.registry.registerResolved(options, this.resolverOf(provider, options), originOf(provider));
    }
  }

  private resolverOf(provider: Provider, options: JobOptions<StandardSchemaV1, StandardSchemaV1>): JobHandlerResolver {
    if (provider.isDependencyTreeStatic() && !provider.isTransient) {
      const handler = handlerOf(provider.instance, options.name, originOf(provider));
      return async () => handler;
    }
    return async (attempt) => handlerOf(await this.instanceFor(provider, attempt), options.name, originOf(provider));
  }

  private async instanceFor(provider: Provider, attempt: JobAttempt | undefined): Promise<unknown> {
    const contextId = ContextIdFactory.create();
    if (attempt !== undefined) this.modules.registerRequestByContextId(attempt, contextId);
    return this.modules.resolve<unknown>(provider.token, contextId, { strict: false });
  }
}

function optionsOf(provider: Provider): JobOptions<StandardSchemaV1, StandardSchemaV1> | undefined {
  // An alias (`useExisting`) is the same provider under a second token, not a second job.
  if (provider.isAlias) return undefined;
  const instance: unknown = provider.instance;
  const made: unknown = typeof instance === 'object' && instance !== null ? instance.constructor : undefined;
  return jobOptionsOf(provider.metatype) ?? jobOptionsOf(made);
}

function handlerOf(instance: unknown, name: string, origin: string): JobHandler {
  if (isHandler(instance)) return instance;
  throw new InvalidJobError(name, origin, 'it has no method "run".');
}

function isHandler(value: unknown): value is JobHandler {
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function';
}

function originOf(provider: Provider): string {
  const module = provider.host?.name;
  return module === undefined ? String(provider.name) : `${String(provider.name)} in ${module}`;
}
