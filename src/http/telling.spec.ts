import 'reflect-metadata';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, type INestApplication, Module, Post, Res } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { z } from 'zod';
import { HealthController, READINESS } from './health.controller.js';
import { OpenApiPlace, serveOpenApi } from './openapi.js';
import { Problem } from './problem.js';
import { Rates } from './rates.js';
import { IDENTIFY, REFUSED_CALLERS } from './roles.guard.js';
import { RouteTable } from './route-table.js';
import { EventStream, type StreamableResponse } from './sse.js';

let notReady: Problem | undefined;
let stream: EventStream | undefined;
/** What waits for the time, newest last. */
const beats: (() => void)[] = [];
const beat = (): void => beats.at(-1)?.();
const clock = {
  now: () => 0,
  elapsed: () => 0,
  wakeAt: (_: number, wake: () => void) => {
    beats.push(wake);
    return () => void (beats.includes(wake) && beats.splice(beats.indexOf(wake), 1));
  },
};

@Controller()
class LiveController {
  @Get('live')
  live(@Res() response: StreamableResponse): void {
    stream = new EventStream(response, clock);
  }

  @Post('things')
  make(@Body({ schema: z.object({ name: z.string().describe('what it is called') }) }) body: { name: string }): { name: string } {
    return body;
  }
}

@Module({
  controllers: [LiveController, HealthController],
  // No filter of the application's own: what the doors throw is theirs to tell.
  providers: [
    RouteTable, OpenApiPlace, { provide: READINESS, useValue: { whyNotReady: async () => notReady } },
    { provide: Rates, useValue: new Rates(0, clock) }, { provide: IDENTIFY, useValue: () => undefined }, { provide: REFUSED_CALLERS, useValue: { refused: () => undefined } },
  ],
})
class LiveModule {}

function liveSuite(name: string, adapter: () => AbstractHttpAdapter): void {
  describe(`What is told on ${name}`, () => {
    let app: INestApplication;
    let url = '';

    beforeAll(async () => {
      app = await NestFactory.create(LiveModule, adapter(), { logger: false });
      serveOpenApi(app, '1.2.3');
      await app.listen(0, '127.0.0.1');
      url = `http://127.0.0.1:${new URL(await app.getUrl()).port}`;
    });
    afterAll(() => app.close());

    const listen = async (): Promise<IncomingMessage> => {
      const [response]: IncomingMessage[] = await once(get(`${url}/live`, { agent: false }), 'response');
      return response!.setEncoding('utf8');
    };

    it('streams messages and heartbeats until it is closed', async () => {
      const response = await listen();
      expect(response.headers['content-type']).toMatch(/^text\/event-stream/);
      expect(await stream!.send({ id: '07', event: 'run', data: { text: 'a\nb' } })).toBe(true);
      beat();
      stream!.close();
      let text = '';
      for await (const chunk of response) text += String(chunk);
      expect(text).toBe('id: 07\nevent: run\ndata: {"text":"a\\nb"}\n\n: still here\n\n');
      expect(await stream!.send({ event: 'run', data: 1 })).toBe(false);
    });

    it('lets go of a listener that takes nothing, and holds little for it until then', async () => {
      const response = await listen();
      response.on('error', () => undefined).pause();
      const cut = new Promise((resolve) => response.once('close', resolve));
      let sent = 0;
      const sending = (async () => {
        while (await stream!.send({ id: String(sent), event: 'run', data: 'x'.repeat(64 * 1024) })) sent += 1;
      })();
      // Beside the heartbeat its patience is waited for as soon as the listener takes no more.
      while (!stream!.signal.aborted) {
        if (beats.length > 1) beat();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await sending;
      expect(sent).toBeLessThan(500);
      response.resume();
      await cut;
    });

    it('stops when the listener goes, even one that reads nothing', async () => {
      const response = await listen();
      response.pause();
      const gone = once(stream!.signal, 'abort');
      const sent = stream!.send({ event: 'run', data: 'x'.repeat(20_000_000) });
      response.destroy();
      await gone;
      expect(await sent).toBe(false);
    });

    it('says whether it lives and is ready', async () => {
      notReady = undefined;
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      notReady = new Problem('log-unavailable', 'The log can not be reached.');
      const answer = await fetch(`${url}/health/ready`);
      expect([answer.status, await answer.json()]).toMatchObject([503, { type: 'urn:sluice:log-unavailable' }]);
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
    });

    it('describes its doors from their schemas', async () => {
      const document: unknown = await (await fetch(`${url}/openapi.json`)).json();
      expect(document).toMatchObject({
        info: { version: '1.2.3' },
        paths: {
          '/things': { post: { requestBody: { content: { 'application/json': { schema: { properties: { name: { type: 'string', description: 'what it is called' } } } } } } } },
        },
      });
    });
  });
}

liveSuite('Fastify', () => new FastifyAdapter());
liveSuite('Express', () => new ExpressAdapter());
