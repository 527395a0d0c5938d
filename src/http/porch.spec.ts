import 'reflect-metadata';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, type INestApplication, Module, Post, StandardSchemaValidationPipe, UsePipes } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { type Caller, identifyDev, Who } from './identity.js';
import { invalidInput, Problem, type ProblemBody, PROBLEMS, type ProblemSlug } from './problem.js';
import { ProblemFilter } from './problem.filter.js';
import { Rates } from './rates.js';
import { IDENTIFY, Needs, NeedsCaller, Open, REFUSED_CALLERS, type RefusedCaller, RolesGuard } from './roles.guard.js';
import { RouteTable } from './route-table.js';

const input = z.strictObject({ name: z.string().min(1), 'a/b': z.number().optional() });
const refusals: RefusedCaller[] = [];

@Controller('probe')
@UsePipes(new StandardSchemaValidationPipe({ exceptionFactory: invalidInput }))
class ProbeController {
  @Get('me')
  @NeedsCaller()
  me(@Who() caller: Caller): { actor: string; roles: string[] } {
    return { actor: caller.actor, roles: [...caller.roles] };
  }

  @Post('things/:id')
  @Needs('operator')
  make(@Body({ schema: input }) body: z.infer<typeof input>): { name: string } {
    return { name: body.name };
  }

  @Get('read')
  @Needs('viewer')
  read(): { ok: boolean } {
    return { ok: true };
  }

  @Get('shut')
  shut(): { ok: boolean } {
    return { ok: true };
  }

  @Get('open')
  @Open()
  open(): { ok: boolean } {
    return { ok: true };
  }

  @Get('ended')
  @Open()
  ended(): never {
    throw new Problem('run-already-ended', 'The run has ended.', { allowedActions: ['retry'], headers: { 'Retry-After': '1' } });
  }

  @Get('broken')
  @Open()
  broken(): never {
    throw new TypeError('a secret of the house');
  }
}

@Module({
  controllers: [ProbeController],
  providers: [
    RouteTable,
    { provide: IDENTIFY, useValue: identifyDev },
    { provide: REFUSED_CALLERS, useValue: { refused: (refusal: RefusedCaller) => void refusals.push(refusal) } },
    { provide: Rates, useValue: new Rates(0, { elapsed: () => 0 }) },
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_GUARD, useClass: RolesGuard },
  ],
})
class ProbeModule {}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

function restSuite(name: string, adapter: () => AbstractHttpAdapter): void {
  describe(`The porch on ${name}`, () => {
    let app: INestApplication;
    let port = 0;

    beforeAll(async () => {
      app = await NestFactory.create(ProbeModule, adapter(), { logger: false });
      await app.listen(0, '127.0.0.1');
      port = Number(new URL(await app.getUrl()).port);
    });
    afterAll(() => app.close());

    const send = (method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        });
        sent.on('error', reject).end(body);
      });
    const json = { 'content-type': 'application/json' };

    function expectProblem(answer: Answer, slug: ProblemSlug): ProblemBody {
      const body: ProblemBody = JSON.parse(answer.text);
      expect(body).toMatchObject({ type: `urn:sluice:${slug}`, title: PROBLEMS[slug].title, status: PROBLEMS[slug].status });
      expect(body.detail).toMatch(/\S/);
      expect(answer.status).toBe(PROBLEMS[slug].status);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.text).not.toMatch(/\bat \S+ \(|node_modules|stack/);
      return body;
    }

    it('lets a caller of this machine in as dev with every role', async () => {
      const answer = await send('GET', '/probe/me');
      expect(JSON.parse(answer.text)).toEqual({ actor: 'dev', roles: ['viewer', 'operator', 'author', 'auditor', 'admin'] });
    });

    it('believes x-dev-user and x-dev-roles', async () => {
      const answer = await send('GET', '/probe/me', { 'x-dev-user': 'ada', 'x-dev-roles': 'viewer, risk', origin: `http://127.0.0.1:${port}` });
      expect(JSON.parse(answer.text)).toEqual({ actor: 'ada', roles: ['viewer', 'risk'] });
    });

    it.each<[string, Record<string, string>]>([
      ['a forged Host', { host: 'evil.example' }],
      ['a Host that only begins like loopback', { host: '127.0.0.1.evil.example' }],
      ['a foreign Origin', { origin: 'http://evil.example' }],
      ['another port as Origin', { origin: 'http://127.0.0.1:1' }],
      ['the Origin null', { origin: 'null' }],
      ['X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1' }],
      ['X-Forwarded-Host', { 'x-forwarded-host': 'localhost' }],
      ['Forwarded', { forwarded: 'for=127.0.0.1' }],
    ])('does not know a caller with %s', async (_, headers) => {
      const answer = await send('GET', '/probe/me', headers);
      expectProblem(answer, 'unauthenticated');
      expect(answer.headers['www-authenticate']).toMatch(/^SluiceDev/);
    });

    it.each<[Record<string, string>, string]>([
      [{ 'x-dev-user': 'a b' }, '/headers/x-dev-user'],
      [{ 'x-dev-user': 'a,b' }, '/headers/x-dev-user'],
      [{ 'x-dev-user': 'x'.repeat(201) }, '/headers/x-dev-user'],
      [{ 'x-dev-roles': 'viewer,*' }, '/headers/x-dev-roles'],
    ])('refuses %j', async (headers, path) => {
      expect(expectProblem(await send('GET', '/probe/me', headers), 'validation-failed').errors).toMatchObject([{ path }]);
    });

    it.each(['viewer', 'operator', 'author', 'auditor', 'admin'])('lets %s read', async (role) => {
      expect((await send('GET', '/probe/read', { 'x-dev-roles': role })).status).toBe(200);
    });

    it('turns a known person without the role away, and tells of it', async () => {
      refusals.length = 0;
      const answer = await send('POST', '/probe/things/1?x=1', { ...json, 'x-dev-user': 'ada', 'x-dev-roles': 'viewer' }, '{"name":"a"}');
      expect(expectProblem(answer, 'forbidden').detail).toContain('operator');
      expect(refusals).toMatchObject([{ actor: 'ada', roles: ['viewer'], door: 'POST /probe/things/1' }]);
    });

    it('shuts a door that does not say who may pass, even to an admin', async () => {
      expectProblem(await send('GET', '/probe/shut'), 'forbidden');
    });

    it('takes good input', async () => {
      const answer = await send('POST', '/probe/things/1', json, '{"name":"a"}');
      expect([answer.status, answer.text]).toEqual([201, '{"name":"a"}']);
    });

    it('names every fault of bad input by its pointer', async () => {
      const body = expectProblem(await send('POST', '/probe/things/1', json, '{"name":"","a/b":"x"}'), 'validation-failed');
      expect(body.errors?.map(({ path }) => path)).toEqual(['/name', '/a~1b']);
    });

    it('says in its own words what is wrong with the shape', async () => {
      const body = expectProblem(await send('POST', '/probe/things/1', json, '{"a/b":"x","note":"n","why":1}'), 'validation-failed');
      expect(body.errors).toEqual([
        { path: '/name', message: 'Give a text.' },
        { path: '/a~1b', message: 'Give a number.' },
        { path: '', message: '"note", "why" are not known here.' },
      ]);
      expect(invalidInput(z.enum(['on', 'off']).safeParse('x').error?.issues ?? []).detail).toMatch(/: Give one of "on", "off"\.$/);
    });

    it.each([
      [z.string().max(3), 'long', 'Give at most 3 characters.'],
      [z.string().min(1), '', 'Give at least 1 character.'],
      [z.array(z.string()).max(1), ['a', 'b'], 'Give at most 1 item.'],
      [z.number().positive(), 0, 'Give more than 0.'],
      [z.int().max(500), 501, 'Give at most 500.'],
      [z.string().max(3, 'is too long'), 'long', 'is too long'],
    ])('says what fits (%#)', (schema, value, message) => {
      expect(invalidInput(schema.safeParse(value).error?.issues ?? []).body().errors).toEqual([{ path: '', message }]);
    });

    it('refuses malformed JSON', async () => {
      expectProblem(await send('POST', '/probe/things/1', json, '{"name":'), 'validation-failed');
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])('refuses a body of %s', async (type) => {
      expectProblem(await send('POST', '/probe/things/1', { 'content-type': type }, 'name=a'), 'unsupported-media-type');
    });

    it('refuses a body that is too large', async () => {
      expectProblem(await send('POST', '/probe/things/1', json, JSON.stringify({ name: 'x'.repeat(1_100_000) })), 'payload-too-large');
    });

    it('says that nothing is at an unknown path', async () => {
      expect(expectProblem(await send('GET', '/nowhere?token=1'), 'not-found').detail).toBe('There is nothing at GET /nowhere.');
    });

    it('says which methods a path takes', async () => {
      const wrong = await send('DELETE', '/probe/things/1');
      expectProblem(wrong, 'method-not-allowed');
      expect(wrong.headers.allow).toBe('POST');
      expect((await send('POST', '/probe/open')).headers.allow).toBe('GET, HEAD');
    });

    it('passes on what a refusal says beside its sentence', async () => {
      const answer = await send('GET', '/probe/ended');
      expect(expectProblem(answer, 'run-already-ended').allowedActions).toEqual(['retry']);
      expect(answer.headers['retry-after']).toBe('1');
    });

    it('keeps to itself what broke', async () => {
      const answer = await send('GET', '/probe/broken');
      expectProblem(answer, 'internal-error');
      expect(answer.text).not.toContain('secret');
    });
  });
}

restSuite('Fastify', () => new FastifyAdapter());
restSuite('Express', () => new ExpressAdapter());
