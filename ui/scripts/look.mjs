// Walks every screen over the paper desk in Debian's chromium: takes a picture of each when given a
// folder, and holds each against the accessibility rules. Fails on any violation.
//   npm run look -- --out /tmp/pictures      npm run axe
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import puppeteer from 'puppeteer-core';
import { createServer } from 'vite';

const out = process.argv.includes('--out') ? process.argv[process.argv.indexOf('--out') + 1] : null;
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
if (out) mkdirSync(out, { recursive: true });
process.env.VITE_MOCK = '1';
const server = await createServer({ logLevel: 'error', server: { port: 5199, fs: { strict: false } } });
await server.listen();
const base = server.resolvedUrls.local[0];
const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none'],
});
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const press = (...keys) => async (page) => { for (const key of keys) await page.keyboard.press(key); };
const chord = async (page, key) => { await page.keyboard.down('Control'); await page.keyboard.press(key); await page.keyboard.up('Control'); };

const ground = async (page) => { await page.waitForSelector("[data-testid^='mark-']"); await page.waitForSelector("[data-testid='map-ground']"); };

/** name, query, what to do before looking */
const screens = [
  ['first-run', 'vault=first-run'],
  ['first-start', 'vault=first-run', async (page) => { await page.click("[data-testid='first-start']"); }],
  ['first-join', 'vault=first-run', async (page) => { await page.click("[data-testid='first-join']"); }],
  ['waiting', 'vault=waiting'],
  ['unlock', 'vault=locked'],
  ['unlock-wrong', 'vault=locked', async (page) => { await page.type("[data-testid='unlock-passphrase']", 'wrong'); await page.keyboard.press('Enter'); }],
  ['board', '', async (page) => { await page.waitForSelector("[data-testid^='row-']"); }],
  ['board-dispute', '', press('j', 'j', 'j')],
  ['board-refer', '', press('r')],
  ['board-note', '', press('n')],
  ['board-exercise', 'exercise=1'],
  ['incident', '', press('Enter')],
  ['incident-dispute', '', press('j', 'j', 'j', 'Enter')],
  ['trail', '', async (page) => { await page.keyboard.press('Enter'); await page.waitForSelector("[data-testid='tab-trail']"); await page.click("[data-testid='tab-trail']"); }],
  ['incident-then', '', async (page) => { await page.keyboard.press('Enter'); await page.waitForSelector('input[type=range]'); await page.focus('input[type=range]'); for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowLeft'); }],
  ['referrals', '', press('g', 'r')],
  ['roster', '', press('g', 'o')],
  ['board-share', '', press('s')],
  ['exchange', '', press('g', 'e')],
  ['exchange-error', '', async (page) => { await page.keyboard.press('g'); await page.keyboard.press('e'); await page.waitForSelector("[data-testid='lan-address']"); await page.type("[data-testid='lan-address']", '192.0.2.7:4433'); await page.click("[data-testid='lan-call']"); }],
  ['log-empty', 'network=none', async (page) => { await chord(page, 'n'); }],
  ['log', 'network=none', async (page) => {
    await chord(page, 'n');
    await page.waitForSelector("[data-testid='field-station']");
    await page.type("[data-testid='field-station']", '0421 · 12 rue Chevreul, Lyon 7e');
    await page.type("[data-testid='field-occurred']", '20:38');
    await page.type("[data-testid='field-summary']", 'Ballot box destroyed with acid');
    await page.type("[data-testid='field-category']", 'tampering');
    await page.keyboard.press('Enter');
    await page.click("[data-testid='field-severity-4']");
    await page.type("[data-testid='field-people']", 'None hurt. Acid on the floor, room ventilated.');
    await page.type("[data-testid='field-services']", 'Fire brigade called 20:39');
    await page.type("[data-testid='field-description']", 'Two masked persons came in at 20:38, poured liquid from a bottle into box 2 and left on foot towards the river. About 40 ballots were in it. I have closed the room and kept the box as it is.');
    await page.waitForSelector("[data-testid='draft-kept']");
  }],
  ['log-kinds', 'network=none', async (page) => { await chord(page, 'n'); await page.type("[data-testid='field-category']", 'ballot'); }],
  ['log-secrecy', 'network=none', async (page) => { await chord(page, 'n'); await page.waitForSelector("[data-testid='field-description']"); await page.type("[data-testid='field-description']", 'He told everyone that he voted for the Blue list.'); await chord(page, 'Enter'); }],
  ['log-signed', '', async (page) => { await chord(page, 'n'); await page.type("[data-testid='field-summary']", 'Stamp missing'); await page.type("[data-testid='field-category']", 'material'); await page.keyboard.press('Tab'); await chord(page, 'Enter'); await page.waitForSelector("[data-testid='signed']"); }],
  ['map', '', async (page) => { await press('g', 'p')(page); await ground(page); await press('j', 'j')(page); }],
  ['map-point', '', async (page) => { await press('g', 'p')(page); await ground(page); await page.click("[data-testid='at-EMB-0421-0007']"); await press('+', '+', '+')(page); }],
  ['map-close', '', async (page) => { await press('g', 'p')(page); await ground(page); await press('j', 'Enter')(page); }],
  ['map-world', '', async (page) => { await press('g', 'p')(page); await ground(page); await press('-', '-', '-', '-', '-', '-')(page); }],
  ['map-empty', 'places=none', press('g', 'p')],
  ['keys', '', press('?')],
  ['palette', '', async (page) => { await chord(page, 'k'); await page.keyboard.type('bal'); }],
];

const looks = [['dark', 'en', 1440, 100], ['light', 'en', 1440, 100], ['light', 'ar', 1440, 100], ['dark', 'fr', 1440, 100], ['dark', 'en', 960, 100], ['light', 'en', 1441, 200]];
let bad = 0;
for (const [name, query, act] of screens) {
  if (only && !name.startsWith(only)) continue;
  for (const [theme, language, width, scale] of looks) {
    // Every screen in both themes; the main ones also in the other languages, narrow, and at 200 %.
    if ((language !== 'en' || width !== 1440) && !['board', 'log', 'incident', 'exchange', 'unlock', 'first-run', 'referrals', 'map'].includes(name)) continue;
    const page = await browser.newPage();
    page.on('pageerror', (error) => { bad += 1; console.log(`${name}: ${error}`); });
    await page.emulateTimezone('Europe/Paris');
    await page.setViewport({ width, height: width === 960 ? 640 : 900 });
    await page.evaluateOnNewDocument((t, l, s) => { localStorage.setItem('theme', t); localStorage.setItem('language', l); localStorage.setItem('scale', s); }, theme, language, String(scale));
    await page.goto(`${base}?${query}`, { waitUntil: 'networkidle0' });
    await page.evaluate(() => document.fonts.ready);
    if (!query.startsWith('vault')) await page.waitForSelector("[data-testid^='row-']");
    if (act) await act(page);
    await new Promise((done) => setTimeout(done, 250));
    const label = [name, theme, language === 'en' ? '' : language, width === 960 ? 'narrow' : '', scale === 100 ? '' : scale].filter(Boolean).join('-');
    if (out) await page.screenshot({ path: `${out}/${label}.png` });
    await page.addScriptTag({ path: axe });
    const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
    for (const rule of found.violations) {
      bad += 1;
      console.log(`${label}: ${rule.id} (${rule.impact}): ${rule.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary.split('\n')[1] ?? ''}`).join(' | ')}`);
    }
    await page.close();
  }
}
await browser.close();
await server.close();
console.log(bad === 0 ? 'every screen holds' : `${bad} faults`);
process.exit(bad === 0 ? 0 : 1);
