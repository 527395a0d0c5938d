import 'reflect-metadata';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { fastifyAdapter, takeJsonBodies } from './fastify.js';
import { ProblemFilter } from './problem.filter.js';
import { RouteTable } from './route-table.js';

@Controller('echo')
class EchoController {
  @Post()
  echo(@Body() body: unknown): { readonly got: unknown } {
    return { got: body ?? 'nothing' };
  }

  @Get(':id')
  one(@Param('id') id: string): { readonly id: string } {
    return { id };
  }
}

@Module({ controllers: [EchoController], providers: [RouteTable, { provide: APP_FILTER, useClass: ProblemFilter }] })
class EchoModule {}

describe('Fastify as the server sets it up', () => {
  let app: NestFastifyApplication;
  let port = 0;
  beforeAll(async () => {
    app = await NestFactory.create<NestFastifyApplication>(EchoModule, fastifyAdapter(), { logger: false });
    takeJsonBodies(app);
    await app.listen(0, '127.0.0.1');
    port = Number(new URL(await app.getUrl()).port);
  });
  afterAll(() => app.close());

  const send = (method: string, path: string, body?: Buffer): Promise<{ status: number; type: string; body: unknown }> =>
    new Promise((resolve, reject) => {
      const sent = httpRequest({ host: '127.0.0.1', port, method, path, agent: false, headers: body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length } }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body: JSON.parse(text) }));
      });
      sent.on('error', reject).end(body);
    });

  it('tells whoever sends far too much why, after hearing it out', async () => {
    const answer = await send('POST', '/echo', Buffer.alloc(8_000_000, 'a'));
    expect(answer).toMatchObject({ status: 413, type: expect.stringMatching(/problem\+json/), body: { type: 'urn:sluice:payload-too-large' } });
  });

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['half a body', Buffer.from('{"a":')],
    ['a prototype', Buffer.from('{"__proto__":{"a":1}}')],
  ])('refuses %s', async (_, body) => {
    expect(await send('POST', '/echo', body)).toMatchObject({ status: 400, type: expect.stringMatching(/problem\+json/), body: { type: 'urn:sluice:validation-failed' } });
  });

  it('takes an empty body for none, and a whole one as it is', async () => {
    expect((await send('POST', '/echo', Buffer.alloc(0))).body).toEqual({ got: 'nothing' });
    expect((await send('POST', '/echo', Buffer.from('{"å":1}'))).body).toEqual({ got: { å: 1 } });
  });

  it.each([
    ['can not be read', '/echo/%ff', 400],
    ['is far too long', `/echo/${'a'.repeat(600)}`, 404],
  ])('tells of a path that %s as a problem', async (_, path, status) => {
    expect(await send('GET', path)).toMatchObject({ status, type: expect.stringMatching(/problem\+json/), body: { status } });
  });
});
