/**
 * The dashboard: a page and its files, to everybody. What it shows it asks from the doors, which look at who asks.
 *
 * 1. Every path of the page's own leads to the page; a file that is not there is told as a problem.
 * 2. Nothing comes from outside, no script stands in the page, and nobody frames it.
 */
import { Get, HttpStatus, Inject, Req, Res, StreamableFile } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import { ENCODINGS, etagFor } from './dashboard-files.js';
import type { DashboardFile, DashboardFiles } from './dashboard-files.js';
import { Door } from './door.js';
import { Links } from './links.js';
import { Problem } from './problem.js';
import { headerOf, pathOf } from './request.js';
import type { HttpRequest } from './request.js';
import { Open } from './roles.guard.js';

/** Under which the controller is given its files. */
export const DASHBOARD_FILES = Symbol('dashboard files');

const SAFE = {
  // Styles are computed by the components; scripts come from files alone.
  'Content-Security-Policy': [
    "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'", "worker-src 'self'",
    "base-uri 'self'", "form-action 'none'", "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
} as const;
/** The adapters spell wildcards differently; no path of the page is deeper. */
const DEEP = [':one', ':one/:two', ':one/:two/:three', ':one/:two/:three/:four'];
const A_YEAR_S = 31_536_000;

@Door('dashboard')
@ApiExcludeController()
@Open()
export class DashboardController {
  private readonly pages = new Map<string, DashboardFile>();

  constructor(
    @Inject(DASHBOARD_FILES) private readonly files: DashboardFiles,
    private readonly links: Links,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  @Get()
  page(@Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): StreamableFile | undefined {
    return this.send(this.front(), request, response);
  }

  @Get(DEEP)
  file(@Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): StreamableFile | undefined {
    const path = pathOf(request).slice(`${this.links.base}/dashboard/`.length);
    if (path === 'index.html') return this.send(this.front(), request, response);
    const file = this.files.get(path);
    if (file === undefined && path.startsWith('assets/')) throw new Problem('not-found', `The dashboard has no file ${path.slice(0, 100)}. Load the page anew: there may be a newer version.`);
    return this.send(file ?? this.front(), request, response);
  }

  /** The page knows where it is: in somebody's application that is not the root. */
  private front(): DashboardFile {
    const base = `${this.links.base}/dashboard/`;
    const known = this.pages.get(base);
    if (known !== undefined) return known;
    const built = this.files.get('index.html');
    if (built === undefined) throw new Problem('not-supported-yet', 'The dashboard was not built. Run npm run setup in the folder of Sluice, then start it again.');
    const text = built.body.toString('utf8').replace('<base href="/" />', `<base href="${base.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" />`);
    const page = { ...built, body: Buffer.from(text), packed: {}, etag: etagFor(text) };
    this.pages.set(base, page);
    return page;
  }

  private send({ type, etag, forEver, body, packed }: DashboardFile, request: HttpRequest, response: unknown): StreamableFile | undefined {
    const adapter = this.adapterHost.httpAdapter;
    const accepted = (headerOf(request, 'accept-encoding') ?? '').split(',').map((part) => part.trim().split(';', 1)[0]);
    const encoding = ENCODINGS.find((one) => packed[one] !== undefined && accepted.includes(one));
    const headers = {
      ...SAFE,
      'Cache-Control': forEver ? `public, max-age=${A_YEAR_S}, immutable` : 'no-cache',
      ETag: etag,
      Vary: 'Accept-Encoding',
      ...(encoding !== undefined && { 'Content-Encoding': encoding }),
    };
    for (const [name, value] of Object.entries(headers)) adapter.setHeader(response, name, value);
    if (headerOf(request, 'if-none-match') === etag) {
      adapter.status(response, HttpStatus.NOT_MODIFIED);
      return undefined;
    }
    const bytes = (encoding === undefined ? undefined : packed[encoding]) ?? body;
    return new StreamableFile(bytes, { type, length: bytes.length });
  }
}
