/**
 * The OpenAPI document as a page to read and to try: Swagger UI's own files and one script that says where the document is.
 * Nothing comes from outside, and no script stands in the page.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { Get, Param, Req, Res } from '@nestjs/common';
import type { StreamableFile } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import { etagFor } from './dashboard-files.js';
import type { DashboardFile } from './dashboard-files.js';
import { Door } from './door.js';
import { Links } from './links.js';
import { OpenApiPlace } from './openapi.js';
import { sendFile } from './page-files.js';
import { Problem } from './problem.js';
import type { HttpRequest } from './request.js';
import { Open } from './roles.guard.js';

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
/** What the page takes from the package, and as what. */
const TAKEN: Readonly<Record<string, string>> = { 'swagger-ui.css': 'text/css; charset=utf-8', 'swagger-ui-bundle.js': SCRIPT, 'favicon-32x32.png': 'image/png' };

@Door('docs')
@ApiExcludeController()
@Open()
export class DocsController {
  private readonly files = new Map<string, DashboardFile>();

  constructor(
    private readonly place: OpenApiPlace,
    private readonly links: Links,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get()
  page(@Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): StreamableFile | undefined {
    const at = `${this.links.base}/docs`;
    const text = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sluice: the doors</title>
<link rel="icon" href="${at}/favicon-32x32.png"><link rel="stylesheet" href="${at}/swagger-ui.css"></head>
<body><div id="doors"></div><script src="${at}/swagger-ui-bundle.js"></script><script src="${at}/start.js"></script></body>
</html>
`;
    return sendFile(this.adapterHost, this.file('index.html', HTML, () => Buffer.from(text)), { request, response });
  }

  @Get(':file')
  one(@Param('file') name: string, @Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): StreamableFile | undefined {
    const type = Object.hasOwn(TAKEN, name) ? TAKEN[name] : undefined;
    if (name === 'start.js') return sendFile(this.adapterHost, this.file(name, SCRIPT, () => this.start()), { request, response });
    if (type === undefined) throw new Problem('not-found', `The page of the document has no file ${name.slice(0, 100)}.`);
    return sendFile(this.adapterHost, this.file(name, type, () => readFileSync(createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`))), { request, response });
  }

  private start(): Buffer {
    if (this.place.url === undefined) throw new Problem('not-found', 'This application serves no OpenAPI document of its doors.');
    return Buffer.from(`SwaggerUIBundle({ url: ${JSON.stringify(this.place.url)}, dom_id: '#doors', validatorUrl: null, deepLinking: true, docExpansion: 'list', tagsSorter: 'alpha' });\n`);
  }

  /** Read and packed when it is asked for first. */
  private file(name: string, type: string, read: () => Buffer): DashboardFile {
    const known = this.files.get(name);
    if (known !== undefined) return known;
    const body = read();
    const file = { type, etag: etagFor(body), forEver: false, body, packed: { gzip: gzipSync(body) } };
    this.files.set(name, file);
    return file;
  }
}
