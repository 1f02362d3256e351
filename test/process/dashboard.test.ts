// The dashboard in a real browser, on a real group: what it shows of a failover, and what is changed through it.
import { existsSync, writeFileSync } from 'node:fs';
import axe from 'axe-core';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupStatusOf } from '../../src/cli/group-status.ts';
import { healthyGroup } from '../cli/support/snapshot.ts';
import { freePort } from '../support/free-port.ts';
import { lackOf } from '../support/lack.ts';
import { inGroup } from '../support/process-group.ts';
import type { Group } from '../support/process-group.ts';
import type { ClientProcess } from '../support/process-node.ts';
import { CALM } from '../support/process-steps.ts';

const BROWSER = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

const lack = lackOf('chromium', BROWSER !== undefined, 'chromium is not installed');

const LIMIT = { timeout: 30_000 };

let browser: Browser;

describe.skipIf(lack !== null)('the dashboard', () => {
  beforeAll(async () => {
    const args = ['--no-sandbox', '--disable-dev-shm-usage'];
    browser = await chromium.launch({ executablePath: BROWSER ?? '', args });
  });

  afterAll(async () => {
    await browser.close();
  });

  it('shows a failover while it is open, promotes, and can be used by everybody', async () => {
    await inGroup(async (group) => {
      const [a] = await group.startAll(['a', 'b', 'c']);
      await group.active(1);
      const served = await serve(group);
      const { page, faults } = await openPage(served.url, { colorScheme: 'light' });
      await headline(page, 'a is primary');
      await page.locator('.connection[data-state=open]').waitFor(LIMIT);
      expect(page.url()).not.toContain('token');

      a.kill('SIGKILL');
      await group.active(2);
      // Whoever was quicker: each of them has the other to promote.
      const first = await nextPrimary(page);
      const second = first === 'b' ? 'c' : 'b';
      await page.locator('.timeline .mark-failover').waitFor({ ...LIMIT, state: 'attached' });
      await page.locator('.events .pill-failover').waitFor(LIMIT);
      await expectText(
        page,
        '#news',
        new RegExp(`g: failover\\. ${first} is primary at epoch 2, .* without a workload`),
      );
      expect(await page.locator('.plot').getAttribute('aria-label')).toMatch(/^Time without/);
      await page
        .locator('.nodes tbody tr')
        .nth(2)
        .waitFor({ ...LIMIT, state: 'detached' });

      await page.getByRole('button', { name: `Promote ${second}` }).click();
      await page.getByRole('dialog', { name: `Promote ${second}?` }).waitFor(LIMIT);
      expect(await faultsFor(page)).toEqual([]);
      await page.keyboard.press('Tab');
      expect(await focusIsIn(page, 'dialog')).toBe(true);
      await page.locator('#dialog-confirm').click();
      await headline(page, `${second} is primary`);
      await expectText(page, '#said', new RegExp(`^${second} is primary at epoch 3: `));
      await group.active(3);

      await page.getByRole('button', { name: 'Pause' }).click();
      await page.locator('#dialog-confirm').click();
      await headline(page, `${second} is primary, and the group is paused`);
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.locator('#dialog-confirm').click();
      await headline(page, `${second} is primary`);

      expect(await faultsFor(page)).toEqual([]);
      for (const [colorScheme, width] of [
        ['dark', 1240],
        ['light', 360],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 780 });
        await page.locator('.timeline').waitFor(LIMIT);
        expect(await faultsFor(page)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
          width,
        );
      }

      served.client.kill('SIGTERM');
      expect((await served.client.done).code).toBe(0);
      await expectText(page, '.connection', /Connection lost\s+\d+ s ago; retrying /);
      const again = await serve(group, served.port);
      await page.locator('.connection[data-state=open]').waitFor(LIMIT);
      again.client.kill('SIGTERM');
      expect((await again.client.done).code).toBe(0);
      // That a connection is refused or ends is no fault of the page.
      expect(faults().filter((text) => !text.includes('net::ERR_'))).toEqual([]);
    }, CALM);
  });

  it('takes what nodes say for text, whatever it is', async () => {
    await inGroup(async (group) => {
      const served = await serve(group);
      const { page, faults } = await openPage('about:blank', {});
      const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
      const status = groupStatusOf({ ...healthyGroup(), group: 'g' });
      const bent = JSON.parse(JSON.stringify(status), (key, value: unknown) =>
        ['id', 'primary', 'reason', 'state', 'health', 'kind'].includes(key) ? evil : value,
      ) as object;
      const time = new Date().toISOString();
      const takeover = { kind: evil, from: evil, to: evil, epoch: 1, reason: evil, gapMs: 5 };
      const more = { from: null, role: null, epoch: 1, reason: evil, source: 'node', run: null };
      const happened = { group: 'g', node: evil, time, to: evil, takeover, ...more };
      const events = [
        ...[`event: groups\ndata: {"groups":["g"]}`],
        `event: status\ndata: ${JSON.stringify({ ...bent, warnings: [evil] })}`,
        `event: transition\ndata: ${JSON.stringify(happened)}`,
      ];
      await page.route('**/events?*', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body: `${events.join('\n\n')}\n\n` }),
      );
      await page.goto(served.url);
      await page.locator('.events li').filter({ hasText: evil }).waitFor(LIMIT);
      await page.locator('.nodes').filter({ hasText: evil }).waitFor(LIMIT);
      await page.locator('.timeline .lane-name').first().waitFor(LIMIT);
      expect(await page.locator('img, body script').count()).toBe(0);
      expect(await page.title()).toContain('failover');
      expect(faults().filter((text) => !text.startsWith('http'))).toEqual([]);
      served.client.kill('SIGTERM');
      await served.client.done;
    });
  });

  it('of a node asks for its token', async () => {
    const port = await freePort();
    await inGroup(async (group) => {
      const token = group.path('token');
      writeFileSync(token, 'correct-horse-battery\n', { mode: 0o600 });
      const options = { http: String(port), 'http-token-file': token };
      const a = await group.start('a', { options });
      await group.reaches(a, 'serving');
      const b = await group.start('b');
      await group.reaches(b, 'watching');
      const { page, faults } = await openPage(`http://127.0.0.1:${String(port)}/`, {});
      await headline(page, 'a is primary');
      await page.getByRole('button', { name: 'Step down' }).click();
      await page.locator('#dialog-confirm').click();
      await expectText(page, '#dialog-fault', /A token is required/);
      await page.getByLabel('Token').fill('wrong-wrong-wrong-wrong');
      await page.keyboard.press('Enter');
      await expectText(page, '#dialog-fault', /The token is wrong/);
      await page.getByLabel('Token').fill('correct-horse-battery');
      await page.keyboard.press('Enter');
      await group.reaches(b, 'serving');
      await headline(page, 'b is primary');
      expect(faults().filter((text) => !text.includes('401'))).toEqual([]);
    }, CALM);
  });
});

async function serve(
  group: Group,
  port?: number,
): Promise<{
  readonly client: ClientProcess;
  readonly url: string;
  readonly port: number;
}> {
  const at = port ?? (await freePort());
  const client = group.startClient('dashboard', '--listen', String(at));
  const url = await group.until('its address', () => /^http:\S+/.exec(client.stdout)?.[0]);
  return { client, url, port: at };
}

async function openPage(
  url: string,
  options: BrowserContextOptions,
): Promise<{ readonly page: Page; readonly faults: () => readonly string[] }> {
  const context = await browser.newContext({ viewport: { width: 1240, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) faults.push(request.url());
  });
  await page.goto(url);
  return { page, faults: () => faults };
}

async function headline(page: Page, text: string): Promise<void> {
  await page.locator('.headline').getByText(text, { exact: true }).waitFor(LIMIT);
}

async function nextPrimary(page: Page): Promise<'b' | 'c'> {
  const text = await page
    .locator('.headline')
    .getByText(/^[bc] is primary$/)
    .textContent(LIMIT);
  return text?.startsWith('b') === true ? 'b' : 'c';
}

async function expectText(page: Page, selector: string, form: RegExp): Promise<void> {
  await page
    .locator(selector)
    .filter({ hasText: form })
    .waitFor({ ...LIMIT, state: 'attached' });
}

function focusIsIn(page: Page, selector: string): Promise<boolean> {
  const script = `document.activeElement.closest(${JSON.stringify(selector)}) !== null`;
  return page.evaluate<boolean>(script);
}

/** What axe finds wrong, in a line each. In a world of its own, as the page lets no other script in. */
async function faultsFor(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
  });
  const run = `${axe.source}; axe.run({ resultTypes: ['violations'] }).then(({ violations }) => JSON.stringify(
    violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary].join(' ')))))`;
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    ...{ expression: run, contextId: executionContextId, awaitPromise: true },
  });
  await session.detach();
  if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
  return JSON.parse(String(result.value)) as string[];
}
