// The files of the dashboard as a server gives them: to browsers, with a policy that lets nothing else in.
import { describe, expect, it } from 'vitest';
import { Page } from '../../src/http/page.ts';
import { appWith } from './support/app.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe('the page of the dashboard', () => {
  const app = appWith({ page: new Page() });

  it('is for browsers; others get the paths as ever', async () => {
    const page = await app.request('/', { headers: BROWSER });
    expect([page.status, page.headers.get('content-type'), page.headers.get('vary')]).toEqual([
      ...[200, 'text/html; charset=utf-8', 'Accept'],
    ]);
    for (const accept of ['*/*', 'application/json', '']) {
      const answer = await app.request('/', { headers: { accept } });
      expect(answer.headers.get('content-type')).toBe('application/json');
    }
  });

  it('has nothing in it that its policy forbids, and names only files that are there', async () => {
    const answer = await app.request('/', { headers: BROWSER });
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
    const text = await answer.text();
    expect(text).not.toMatch(
      /<script(?![^>]* src=)|<style|\son\w+=|\sstyle=|https?:|="javascript:/i,
    );
    const named = [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(named).toHaveLength(3);
    for (const path of named) expect((await app.request(path)).status).toBe(200);
  });

  it('loads nothing from elsewhere, and sets no markup', async () => {
    const script = await (await app.request('/assets/dashboard.js')).text();
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
    const urls = script.match(/https?:\/\/[^\s"'`]+/g) ?? [];
    expect(urls.filter((url) => url !== 'http://www.w3.org/2000/svg')).toEqual([]);
    const style = await (await app.request('/assets/dashboard.css')).text();
    expect(style).not.toMatch(/url\(|@import/);
  });

  it('is not sent again where it is the same', async () => {
    const etag = (await app.request('/assets/dashboard.js')).headers.get('etag') ?? '';
    const headers = { 'if-none-match': etag };
    const again = await app.request('/assets/dashboard.js', { headers });
    expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag]);
    const other = await app.request('/assets/dashboard.css', { headers });
    expect(other.status).toBe(200);
  });

  it.each(['/assets/', '/assets/index.html', '/assets/../package.json', '/assets/%2e%2e/main.js'])(
    'has no other files: %s',
    async (path) => {
      expect((await app.request(path)).status).toBe(404);
    },
  );

  it('is only read', async () => {
    const answer = await app.request('/assets/dashboard.js', { method: 'POST' });
    expect(answer.status).toBe(405);
  });
});
