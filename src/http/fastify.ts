/** Fastify as our server sets it up: problems also for what its router refuses, and bodies that are what they say. */
import { isUtf8 } from 'node:buffer';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply } from 'fastify';
import { GUARDED } from './page-files.js';
import { Problem } from './problem.js';

/** A definition may have 1 MiB; this leaves room for what stands round it. */
const BODY_BYTES = 1_100 * 1024;
/** Deeper than any definition or payload that a person could mean. */
const BODY_DEPTH = 100;
/** Until then a request must have been sent whole. */
const SENDING_MS = 60_000;
/** Longer than any id or name of ours, so that an unknown one is told as such. */
const PARAM_LENGTH = 500;

export function fastifyAdapter(): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_BYTES,
    requestTimeout: SENDING_MS,
    // As Express has it.
    routerOptions: { maxParamLength: PARAM_LENGTH, ignoreTrailingSlash: true },
    // What is no HTTP never gets to a route.
    clientErrorHandler: (error, socket) => {
      if (!socket.writable) return;
      const [status, words] = error.code === 'HPE_HEADER_OVERFLOW' ? ['431 Request Header Fields Too Large', 'The headers are larger than this server takes; send less.'] : ['400 Bad Request', 'This is not a request that can be read: send HTTP/1.1.'];
      const body = JSON.stringify(new Problem('validation-failed', words, { errors: [{ path: '/headers', message: words }] }).body());
      socket.end(`HTTP/1.1 ${status}\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
    },
    frameworkErrors: (error: FastifyError, _request: unknown, reply: FastifyReply) => {
      const problem = error.code === 'FST_ERR_MAX_PARAM_LENGTH' ? new Problem('not-found', 'There is nothing with a name that long.') : new Problem('validation-failed', `The path can not be read: ${error.message}`);
      void reply.status(problem.status).headers(GUARDED).header('content-type', 'application/problem+json; charset=utf-8').send(JSON.stringify(problem.body()));
    },
  });
}

/** A body that is refused for its size is read to its end, up to this, so that whoever sends it hears why. */
const HEARD_BYTES = 64 * 1024 * 1024;

/** JSON bodies: whole UTF-8, not too deep, no `__proto__`, and none at all where the length is 0. */
export function takeJsonBodies(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode === 413 && Number(request.headers['content-length']) <= HEARD_BYTES) reply.header('connection', 'keep-alive');
    return payload;
  });
  const parse = fastify.getDefaultJsonParser('error', 'error');
  app.useBodyParser('application/json', { bodyLimit: BODY_BYTES }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    if (!/^utf-?8$/i.test(charsetOf(request.headers['content-type']))) return done(new Problem('unsupported-media-type', 'Send JSON as UTF-8.'), undefined);
    if (!isUtf8(body)) return done(new Problem('validation-failed', 'The body is no valid JSON: its bytes are not UTF-8.'), undefined);
    if (isDeeper(body, BODY_DEPTH)) return done(new Problem('validation-failed', `The body is nested deeper than ${BODY_DEPTH} levels.`), undefined);
    // The parser looks at no request: only its type asks for a narrower one.
    Reflect.apply(parse, undefined, [request, body.toString('utf8'), done]);
  });
}

function charsetOf(type = ''): string {
  return /;\s*charset="?([^\s";]*)/i.exec(type)?.[1] ?? 'utf-8';
}

/** Looked at before anything is made of it: what is nested without end costs the parser, and all after it, their stack. */
function isDeeper(json: Uint8Array, most: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
    if (depth > most) return true;
  }
  return false;
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}');
