// Takes a picture of every screen over the paper desk, for people to look at.
//   npm run look -- --out /tmp/pictures [--only board]
import { mkdirSync } from 'node:fs';
import { open, serve, share, tab, wish } from './browser.mjs';
import { screens } from './screens.mjs';

const option = (name, otherwise) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise);
const out = option('--out', '/tmp/pictures');
const only = option('--only', '');
mkdirSync(out, { recursive: true });

// Every screen in each theme; the main ones also in the other languages, narrow, and at 200 %.
const main = ['board', 'log', 'incident', 'exchange', 'unlock', 'first-run', 'referrals', 'roster', 'map', 'gallery'];
const looks = [
  { theme: 'dark' }, { theme: 'light' }, { theme: 'contrast' },
  { theme: 'light', language: 'ar' }, { theme: 'dark', language: 'fr' }, { theme: 'contrast', language: 'ar' },
  { theme: 'dark', asked: { 'forced-colors': 'active' } }, { theme: 'light', asked: { 'prefers-contrast': 'more' } },
  { theme: 'dark', width: 960, height: 640 }, { theme: 'light', scale: 200 }, { theme: 'dark', language: 'fr', scale: 200 }, { theme: 'light', language: 'ar', scale: 200 },
];
const tasks = screens.filter(([name]) => name.startsWith(only))
  .flatMap((screen) => looks.filter((_, at) => at < 3 || main.includes(screen[0])).map((look) => ({ screen, look })));

const site = await serve();
await share(tasks, 2, async (browser, { screen, look }) => {
  const label = [screen[0], look.theme, look.language, look.width && 'narrow', look.asked && Object.keys(look.asked)[0], look.scale].filter(Boolean).join('-');
  const page = await tab(browser, (text) => { console.log(`${label}: ${text}`); process.exitCode = 1; });
  if (look.asked) await wish(page, look.asked);
  await open(page, site.base, screen, look);
  await page.screenshot({ path: `${out}/${label}.png` });
  await page.close();
});
await site.close();
console.log(`${tasks.length} pictures in ${out}`);
