/**
 * A real browser before a real server, for tests. Debian's chromium is looked for; CHROMIUM names another one.
 *
 * The server runs from the sources and serves the dashboard of the last build.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, jest } from '@jest/globals';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { runTypeScript } from '../child-process.js';
import type { Child } from '../child-process.js';

const SERVER = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const JOBS = fileURLToPath(new URL('./browser.jobs.ts', import.meta.url));
const PLACES = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FOUND = PLACES.find((place) => place !== undefined && existsSync(place));
const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run', '--disable-dev-shm-usage'];

/** Long enough for a busy machine. */
export const PATIENCE_MS = 30_000;
export const TEST_MS = 420_000;

/** Who looks at the page: under dev sign-in whoever they say they are. */
export interface Somebody {
  readonly user: string;
  readonly roles: readonly string[];
}
export const OPERATOR: Somebody = { user: 'olga', roles: ['operator'] };
export const BOSS: Somebody = { user: 'bea', roles: ['viewer', 'boss'] };

export interface Looking extends Somebody {
  readonly dark?: boolean;
  readonly width?: number;
  readonly height?: number;
}

export class Site {
  url = '';
  /** What the pages complained of: errors and what their policy forbade. */
  readonly complaints: string[] = [];
  private server: Child | undefined;
  private port = '0';
  private readonly contexts: BrowserContext[] = [];

  private constructor(private readonly browser: Browser, readonly directory: string) {}

  static async open(): Promise<Site> {
    const browser = await chromium.launch({ executablePath: FOUND ?? '', args: FLAGS });
    return new Site(browser, mkdtempSync(join(tmpdir(), 'sluice-browser-')));
  }

  /** Starts the server; again after a kill, at the same address. */
  async serve(): Promise<void> {
    this.server = runTypeScript(SERVER, { env: { SLUICE_DATA: join(this.directory, 'data'), SLUICE_PORT: this.port, SLUICE_JOBS: JOBS, SLUICE_SLOTS: '24', SLUICE_LOG_LEVEL: 'warn', SLUICE_DRAIN: '1s', SLUICE_READ_WAIT: '20s' } });
    this.url = /http:\S+/.exec(await this.server.line(/listening on/))![0];
    this.port = new URL(this.url).port;
  }

  async kill(): Promise<void> {
    this.server?.kill('SIGKILL');
    await this.server?.exited;
  }

  /** @param url where the page looks for the server, if not at its own address */
  async page({ user, roles, dark = false, width = 1440, height = 900 }: Looking = { user: 'dev', roles: ['viewer', 'operator', 'author', 'auditor', 'admin'] }, url = this.url): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce', baseURL: `${url}/` });
    this.contexts.push(context);
    await context.addInitScript(`localStorage.setItem('sluice.acting', ${JSON.stringify(JSON.stringify({ user, roles }))})`);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error' && /Content Security Policy|Uncaught|React/i.test(message.text())) this.complaints.push(message.text());
    });
    return page;
  }

  async ask<T>(method: string, path: string, body?: unknown, { user, roles }: Somebody = { user: 'seed', roles: ['admin', 'boss'] }): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method, headers: { 'x-dev-user': user, 'x-dev-roles': roles.join(','), ...(body !== undefined && { 'content-type': 'application/json' }) }, ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  async start(batch: string, parameters: object = {}): Promise<string> {
    const { runId, position } = await this.ask<{ runId: string; position: string }>('POST', `/batches/${batch}/runs`, { parameters });
    await this.ask('GET', `/runs?limit=1&atLeast=${position}`);
    return runId;
  }

  /** The run, once it is in one of these statuses. */
  async runIn(runId: string, ...statuses: readonly string[]): Promise<{ readonly status: string; readonly approvals: readonly { readonly id: string }[] }> {
    for (const endsAt = Date.now() + 4 * PATIENCE_MS; ; await new Promise((resolve) => setTimeout(resolve, 25))) {
      const run = await this.ask<{ status: string; approvals: { id: string }[] }>('GET', `/runs/${runId}`);
      if (statuses.includes(run.status)) return run;
      if (Date.now() > endsAt) throw new Error(`Run ${runId} is ${run.status}, and never was ${statuses.join(' or ')}.`);
    }
  }

  /** Resolves when the rows have caught up with the log. */
  async ready(): Promise<void> {
    while (!(await fetch(`${this.url}/health/ready`)).ok) await new Promise((resolve) => setTimeout(resolve, 100));
  }

  async close(): Promise<void> {
    await Promise.all(this.contexts.map((context) => context.close()));
    await this.browser.close();
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A suite that needs a browser; where there is none it is skipped, and that is said. */
export function inBrowser(subject: string, suite: (site: () => Site) => void): void {
  if (FOUND === undefined) {
    process.stderr.write(`\nWARNING: NO CHROMIUM. ${subject}: NOT TESTED in a browser. Install it (Debian: apt-get install -y chromium) or set CHROMIUM.\n`);
    describe.skip(`SKIPPED, because there is no chromium: ${subject}`, () => suite(() => ({}) as Site));
    return;
  }
  describe(subject, () => {
    let site: Site;
    jest.setTimeout(TEST_MS);
    beforeAll(async () => {
      site = await Site.open();
      await site.serve();
    }, TEST_MS);
    afterAll(async () => {
      const { complaints } = site;
      await site.close();
      if (complaints.length > 0) throw new Error(`The pages complained:\n${complaints.join('\n')}`);
    }, TEST_MS);
    suite(() => site);
  });
}
