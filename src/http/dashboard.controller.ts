/**
 * The dashboard: a page and its files, to everybody. What it shows it asks from the doors, which look at who asks.
 *
 * 1. Every path of the page's own leads to the page; a file that is not there is told as a problem.
 * 2. Nothing comes from outside, no script stands in the page, and nobody frames it.
 */
import { Get, Inject, Redirect, Req, Res } from '@nestjs/common';
import type { StreamableFile } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import { etagFor } from './dashboard-files.js';
import type { DashboardFile, DashboardFiles } from './dashboard-files.js';
import { Door } from './door.js';
import { Links } from './links.js';
import { sendFile } from './page-files.js';
import { Problem } from './problem.js';
import { pathOf } from './request.js';
import type { HttpRequest } from './request.js';
import { Open } from './roles.guard.js';

/** Under which the controller is given its files. */
export const DASHBOARD_FILES = Symbol('dashboard files');

/** The adapters spell wildcards differently; no path of the page is deeper. */
const DEEP = [':one', ':one/:two', ':one/:two/:three', ':one/:two/:three/:four'];

/** Where the doors begin, the dashboard is near. */
@Door()
@ApiExcludeController()
@Open()
export class FrontController {
  constructor(private readonly links: Links) {}

  @Get()
  @Redirect()
  front(): { readonly url: string; readonly statusCode: number } {
    return { url: `${this.links.base}/dashboard`, statusCode: 302 };
  }
}

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
    return sendFile(this.adapterHost, this.front(), { request, response });
  }

  @Get(DEEP)
  file(@Req() request: HttpRequest, @Res({ passthrough: true }) response: unknown): StreamableFile | undefined {
    const path = pathOf(request).slice(`${this.links.base}/dashboard/`.length);
    if (path === 'index.html') return sendFile(this.adapterHost, this.front(), { request, response });
    const file = this.files.get(path);
    if (file === undefined && path.startsWith('assets/')) throw new Problem('not-found', `The dashboard has no file ${path.slice(0, 100)}. Load the page anew: there may be a newer version.`);
    return sendFile(this.adapterHost, file ?? this.front(), { request, response });
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
}
