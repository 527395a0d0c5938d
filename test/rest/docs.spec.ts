/** The page of the document: everything it needs comes from here. */
import { expect, it } from '@jest/globals';
import { expectProblem, onBoth } from './house.js';

onBoth('GET /docs', (house) => {
  it('is a page without a script of its own, whose files are all here', async () => {
    const page = await house().get('/docs', { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'; script-src 'self';/);
    expect(page.text).not.toMatch(/<script>|https?:/);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '');
    expect(links).toEqual(['/docs/favicon-32x32.png', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js']);
    for (const link of links) {
      const file = await house().get(link);
      expect([link, file.status, file.text.length > 100]).toEqual([link, 200, true]);
      const again = await house().get(link, { headers: { 'if-none-match': file.headers.get('etag') ?? '' } });
      expect([link, again.status, again.text]).toEqual([link, 304, '']);
    }
  });

  it('says where the document is, and asks nobody else', async () => {
    const { text } = await house().get('/docs/start.js');
    expect(text).toMatch(/SwaggerUIBundle\(\{ url: "\/openapi.json".*validatorUrl: null/);
    expect((await house().get('/openapi.json')).status).toBe(200);
  });

  it('has no other files, wherever they are asked for', async () => {
    for (const path of ['/docs/package.json', '/docs/__proto__', '/docs/..%2Fpackage.json', '/docs/swagger-ui-bundle.js.map']) expectProblem(await house().get(path), 'not-found');
  });
});
