// The paper desk built once and served, and pages of Debian's chromium in which nothing waits for a
// clock: a page is looked at when every answer of the desk is in, the fonts are there and two frames
// were drawn.
import puppeteer from 'puppeteer-core';
import { build, preview } from 'vite';

export async function serve() {
  process.env.VITE_MOCK = '1';
  await build({ logLevel: 'error' });
  const server = await preview({ logLevel: 'error', preview: { port: 5199, strictPort: false, host: '127.0.0.1' } });
  return { base: server.resolvedUrls.local[0], close: () => server.close() };
}

export const launch = () => puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none', '--disable-background-timer-throttling', '--disable-renderer-backgrounding'],
});

// A wish holds only as long as the session that made it.
const sessions = new WeakMap();

/** What the system asks for: more contrast, its own colours. Never motion, so that nothing is seen half-way. */
export async function wish(page, features) {
  const session = sessions.get(page) ?? await page.createCDPSession();
  sessions.set(page, session);
  await session.send('Emulation.setEmulatedMedia', { features: Object.entries({ 'prefers-reduced-motion': 'reduce', ...features }).map(([name, value]) => ({ name, value })) });
}

/** A page that says what goes wrong in it. */
export async function tab(browser, fault) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => fault(`an error in the page: ${error.message ?? error}`));
  await page.emulateTimezone('Europe/Paris');
  await wish(page, {});
  return page;
}

export const settle = (page) => page.evaluate(() => new Promise((done) => {
  let calm = 0;
  const frame = () => {
    const quiet = globalThis.deskPending === 0 && document.querySelector('#app > *') && document.fonts.status === 'loaded';
    calm = quiet ? calm + 1 : 0;
    if (calm > 2) done(null);
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}));

/** Opens a screen as a person would come to it. */
export async function open(page, base, [, query, act], { theme = 'dark', language = 'en', width = 1440, height = 900, scale = 100 } = {}) {
  await page.setViewport({ width, height });
  const kept = await page.evaluateOnNewDocument((choices) => {
    localStorage.clear();
    for (const [name, value] of Object.entries(choices)) localStorage.setItem(name, value);
  }, { theme, language, scale: String(scale) });
  const gallery = query === 'gallery';
  await page.goto(`${base}${gallery ? 'gallery.html?still=1' : `?still=1&${query}`}`, { waitUntil: 'load' });
  await page.removeScriptToEvaluateOnNewDocument(kept.identifier);
  if (!gallery && !query.startsWith('vault')) await page.waitForSelector("[data-testid^='row-']");
  await settle(page);
  if (act) { await act(page); await settle(page); }
}

/** Does the tasks, a few at a time, each with a browser of its own. */
export async function share(tasks, hands, work) {
  const left = [...tasks];
  await Promise.all(Array.from({ length: hands }, async () => {
    const browser = await launch();
    try {
      for (let task = left.shift(); task; task = left.shift()) await work(browser, task);
    } finally {
      await browser.close();
    }
  }));
}
