import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Sluice, SluiceHealth, SluiceModule } from '../../src/index.js';
import type { SluiceModuleOptions } from '../../src/index.js';
import { counted, HostModule, options, released, Seen, TICK_MS } from './guest-application.js';

const open: INestApplication[] = [];
afterEach(async () => {
  for (const app of open.splice(0)) await app.close();
});

async function hosted(...parts: (DynamicModule | ((app: INestApplication) => void))[]) {
  const guests = parts.filter((part) => typeof part !== 'function');
  const app = await NestFactory.create(HostModule.with(...guests), new ExpressAdapter(), { logger: ['error'], abortOnError: false });
  open.push(app);
  for (const part of parts) if (typeof part === 'function') part(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await fetch(`${url}${path}`, init);
    const text = await answer.text();
    return { status: answer.status, type: answer.headers.get('content-type'), location: answer.headers.get('location'), body: text.startsWith('{') ? (JSON.parse(text) as unknown) : text };
  };
  const post = (path: string, body: unknown, headers = {}) => ask(path, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  return { app, ask, post, seen: app.get(Seen, { strict: false }), sluice: guests.length > 0 ? app.get(Sluice, { strict: false }) : undefined };
}

const guest = (extras = {}) => SluiceModule.forRoot(options(), { rest: true, ...extras });

describe('an Express application with Sluice as its guest', () => {
  it('keeps its routes, its pipes, guards and filters, and its own 404', async () => {
    const alone = await hosted();
    const host = await hosted(guest());
    for (const path of ['/orders', '/nowhere', '/runs', '/health/live', '/']) expect([path, await host.ask(path)]).toEqual([path, await alone.ask(path)]);
    expect(await host.ask('/orders', { method: 'DELETE' })).toEqual(await alone.ask('/orders', { method: 'DELETE' }));
    expect(await host.post('/orders', { what: 'tea' })).toEqual(await alone.post('/orders', { what: 'tea' }));
    expect(host.seen.piped.length).toBe(alone.seen.piped.length);
  });

  it('handles its own events once, and its saga too', async () => {
    const { post, seen } = await hosted(guest());
    await post('/orders', { what: 'tea' });
    expect(seen.events).toEqual(['tea']);
    expect(seen.commands).toEqual(['tea']);
  });

  it('has its interval fire once at a time', async () => {
    const { seen } = await hosted(guest());
    const from = seen.ticks;
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, TICK_MS * 10));
    expect(seen.ticks - from).toBeGreaterThan(0);
    expect(seen.ticks - from).toBeLessThanOrEqual(Math.ceil((performance.now() - began) / TICK_MS) + 1);
  });

  it('finds the doors under their path, with links that lead there', async () => {
    const { ask, post } = await hosted(guest());
    const as = { 'x-user': 'ann' };
    expect(await ask('/sluice/runs')).toMatchObject({ status: 401, type: expect.stringContaining('application/problem+json') });
    const started = await post('/sluice/batches/released/runs', {}, as);
    expect(started).toMatchObject({ status: 202, location: expect.stringMatching(/^\/sluice\/runs\//) });
    const { position } = started.body as { position: string };
    const run = await ask(`${started.location}?atLeast=${position}`, { headers: as });
    expect(run).toMatchObject({ status: 200, body: { status: 'parked' } });
    const { allowedActions } = run.body as { allowedActions: { action: string; href: string }[] };
    const approve = allowedActions.find(({ action }) => action === 'approve');
    expect(approve?.href).toMatch(/^\/sluice\/approvals\//);
    expect(await post(approve!.href, {}, as)).toMatchObject({ status: 200, body: { outcome: 'approved' } });
  });

  it('follows another path', async () => {
    const { post } = await hosted(guest({ path: 'ops/batches' }));
    expect(await post('/ops/batches/batches/released/runs', {}, { 'x-user': 'ann' })).toMatchObject({ status: 202, location: expect.stringMatching(/^\/ops\/batches\/runs\//) });
  });

  it('stands behind the prefix that the application puts before all of its routes', async () => {
    const { post } = await hosted(guest(), (made) => made.setGlobalPrefix('api'));
    expect(await post('/api/sluice/batches/released/runs', {}, { 'x-user': 'ann' })).toMatchObject({ status: 202, location: expect.stringMatching(/^\/api\/sluice\/runs\//) });
  });

  it('has its dashboard where its doors are, and opens them for it', async () => {
    const { ask } = await hosted(SluiceModule.forRoot(options(), { dashboard: true, path: 'ops' }), (made) => made.setGlobalPrefix('api'));
    const page = await ask('/api/ops/dashboard/runs');
    expect(page).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' });
    expect(page.body).toContain('<base href="/api/ops/dashboard/" />');
    expect(await ask('/api/ops/me', { headers: { 'x-user': 'ann' } })).toMatchObject({ status: 200, body: { actor: 'ann' } });
    expect(await ask('/api/orders')).toMatchObject({ body: 'all orders' });
  });

  it('leads nobody to a dashboard that it does not have', async () => {
    const withDoors = await hosted(guest());
    expect(await withDoors.ask('/sluice')).toMatchObject({ status: 404, body: { host: 'says no' } });
    const withDashboard = await hosted(guest({ dashboard: true }));
    expect(await withDashboard.ask('/sluice', { redirect: 'manual' })).toMatchObject({ status: 302, location: '/sluice/dashboard' });
  });

  it('has no doors unless it asks for them', async () => {
    const { ask } = await hosted(SluiceModule.forRoot(options()));
    expect(await ask('/sluice/health/live')).toMatchObject({ status: 404, body: { host: 'says no' } });
  });

  it('runs its providers as jobs, request-scoped ones anew for each attempt', async () => {
    const { sluice, seen } = await hosted(guest());
    const { runId } = await sluice!.start(counted, {}, { actor: 'ann' });
    const run = await sluice!.waitFor(runId);
    expect(run.status).toBe('completed');
    expect(run.steps.map(({ outputs }) => outputs)).toEqual([{ rows: 3 }, { calls: 1 }]);
    expect(seen.attempts).toEqual(['remember 1 1', 'remember 2 1']);
  });

  it('installs no signal handlers, and says how it is', async () => {
    const before = process.eventNames().filter((name) => String(name).startsWith('SIG')).length;
    const { app } = await hosted(guest());
    expect(process.eventNames().filter((name) => String(name).startsWith('SIG')).length).toBe(before);
    expect(await app.get(SluiceHealth, { strict: false }).isHealthy('batches')).toEqual({ batches: { status: 'up' } });
  });

  it('shares a process with another one', async () => {
    const [one, other] = [await hosted(guest()), await hosted(guest())];
    const { runId } = await one.sluice!.start(released, {}, { actor: 'ann' });
    expect(await one.sluice!.get(runId)).toMatchObject({ status: 'parked' });
    expect(await other.sluice!.get(runId)).toBeUndefined();
  });

  it('lets what runs end before it closes', async () => {
    let end = (): void => undefined;
    const began = new EventTarget();
    const slow = { name: 'slow', run: async () => { began.dispatchEvent(new Event('began')); await new Promise<void>((resolve) => (end = resolve)); return { ended: true }; } };
    const { app, sluice } = await hosted(SluiceModule.forRoot({ ...options({ jobs: [slow], batches: [{ name: 'slow', steps: [{ id: 'a', type: 'job', job: 'slow' }] }] }) }));
    const running = once(began, 'began');
    await sluice!.start('slow', {}, { actor: 'ann' });
    await running;
    let closed = false;
    const closing = app.close().then(() => (closed = true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(closed).toBe(false);
    end();
    await closing;
  });
});

describe('options that come later', () => {
  @Injectable()
  class FromClass {
    create(): SluiceModuleOptions {
      return options();
    }
  }
  @Module({ providers: [FromClass], exports: [FromClass] })
  class ConfigModule {}

  it.each([
    ['useFactory', () => SluiceModule.forRootAsync({ useFactory: async () => options(), rest: true })],
    ['useClass', () => SluiceModule.forRootAsync({ useClass: FromClass }, { rest: true })],
    ['useExisting', () => SluiceModule.forRootAsync({ imports: [ConfigModule], useExisting: FromClass, rest: true })],
  ])('come from %s', async (_, made) => {
    const { ask, sluice } = await hosted(made());
    expect(await ask('/sluice/me', { headers: { 'x-user': 'ann' } })).toMatchObject({ status: 200, body: { actor: 'ann' } });
    await expect(sluice!.start(released, {}, { actor: 'ann' })).resolves.toMatchObject({ runId: expect.any(String) });
  });

  it('give the service to every module where that is asked for', async () => {
    @Injectable()
    class Elsewhere {
      constructor(readonly sluice: Sluice) {}
    }
    @Module({ providers: [Elsewhere] })
    class ElsewhereModule {}
    const root = (isGlobal: boolean): DynamicModule => ({ module: class Root {}, imports: [SluiceModule.forRoot({ ...options({ batches: [] }), isGlobal }), ElsewhereModule] });
    const app = await NestFactory.createApplicationContext(root(true), { logger: false, abortOnError: false });
    expect(app.get(Elsewhere, { strict: false }).sluice).toBe(app.get(Sluice, { strict: false }));
    await app.close();
    await expect(NestFactory.createApplicationContext(root(false), { logger: false, abortOnError: false })).rejects.toThrow(/dependencies/);
  });

});
