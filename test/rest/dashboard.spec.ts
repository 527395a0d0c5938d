/** The dashboard as it is served: the page under every address of its own, its files, and what keeps both safe. */
import { expect, it } from '@jest/globals';
import { expectProblem, onBoth } from './house.js';

onBoth('The dashboard', (house) => {
  const page = () => house().get('/dashboard', { headers: { accept: 'text/html' } });
  const scripts = (html: string): string[] => [...html.matchAll(/<script[^>]*\ssrc="([^"]+)"/g)].map(([, src = '']) => new URL(src, `${house().url}/dashboard/`).pathname);

  it('is what the root leads to, for everybody', async () => {
    expect((await house().get('/')).headers.get('location')).toBe('/dashboard');
    const { status, headers, text } = await house().get('/dashboard', { roles: '', headers: { accept: 'text/html', host: 'elsewhere.example' } });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).toContain('<base href="/dashboard/" />');
  });

  it('answers every address of its own with the page', async () => {
    const { text } = await page();
    for (const path of ['/dashboard/', '/dashboard/runs', '/dashboard/runs/0f0e0d0c', '/dashboard/batches/a/edit', '/dashboard/index.html']) expect((await house().get(path)).text).toBe(text);
  });

  it('lets no script stand in the page, nobody frame it, and nothing come from outside', async () => {
    const { headers, text } = await page();
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect([headers.get('x-content-type-options'), headers.get('x-frame-options'), headers.get('referrer-policy')]).toEqual(['nosniff', 'DENY', 'no-referrer']);
    expect([...text.matchAll(/<script(?![^>]*\ssrc=)[^>]*>/g)]).toEqual([]);
    expect([...text.matchAll(/\son\w+=/g)]).toEqual([]);
    expect([...text.matchAll(/(?:src|href)="(?:https?:)?\/\/[^"]*"/g)]).toEqual([]);
  });

  it('is guarded whatever is answered: no page elsewhere frames it or takes it for something else', async () => {
    for (const path of ['/', '/dashboard', '/dashboard/favicon.svg', '/dashboard/assets/gone.js', '/dashboard/a/b/c/d/e/f', '/dashboard/%E0%A4%A', '/runs', '/runs/none', '/live', '/nothing', '/health/live']) {
      const ending = new AbortController();
      const { headers } = await fetch(`${house().url}${path}`, { redirect: 'manual', signal: ending.signal });
      ending.abort();
      expect([path, headers.get('x-content-type-options'), headers.get('x-frame-options'), headers.get('content-security-policy')]).toEqual([path, 'nosniff', 'DENY', expect.stringContaining("frame-ancestors 'none'")]);
    }
  });

  it('keeps files whose name changes with them for ever, packed as the caller takes it', async () => {
    const asset = scripts((await page()).text).find((path) => path.includes('/assets/'))!;
    for (const [accepted, encoding] of [['br', 'br'], ['gzip, deflate', 'gzip'], ['identity', null]] as const) {
      const { status, headers, text } = await house().get(asset, { headers: { 'accept-encoding': accepted } });
      expect([status, headers.get('content-encoding'), headers.get('cache-control'), headers.get('content-type')]).toEqual([200, encoding, 'public, max-age=31536000, immutable', 'text/javascript; charset=utf-8']);
      expect(text).toContain('import');
    }
  });

  it('asks again for the page, and hears when it is the same', async () => {
    const { headers } = await page();
    expect(headers.get('cache-control')).toBe('no-cache');
    expect((await house().get('/dashboard', { headers: { 'if-none-match': headers.get('etag')! } })).status).toBe(304);
  });

  it('tells a file that is not there as a problem, and reads none outside', async () => {
    expectProblem(await house().get('/dashboard/assets/gone-1234.js'), 'not-found');
    expect((await house().get('/dashboard/..%2f..%2fpackage.json')).text).not.toContain('"dependencies"');
    expect((await house().get('/dashboard/.built-from.json')).text).not.toContain('sources');
  });

  it('loads in less than 350 kB, packed', async () => {
    const { text } = await page();
    const first = [...scripts(text), ...[...text.matchAll(/<link[^>]*\shref="(\.\/assets\/[^"]+)"/g)].map(([, href = '']) => new URL(href, `${house().url}/dashboard/`).pathname)];
    const sizes = await Promise.all(first.map(async (path) => Number((await house().get(path, { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-length'))));
    expect(first.length).toBeGreaterThan(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(350_000);
  });

  it('says what the server is to whoever may view', async () => {
    const about = await house().read<{ version: string; auth: string; node: { slots: number; taken: number }; data: { directory: string }; projections: { state: string }[] }>('/about');
    expect(about).toMatchObject({ auth: 'dev', data: { directory: ':memory:' }, node: { slots: 64, taken: 0 } });
    expect(about.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(new Set(about.projections.map(({ state }) => state))).toEqual(new Set(['live']));
    expectProblem(await house().get('/about', { roles: 'risk' }), 'forbidden');
  });
});
