// Hostile text in every field that the desk can fill: it is shown as it was written, nothing of it
// runs, no dialog opens, and no request leaves the page. The pages are served without a content
// security policy, so that the window's own cannot hide a fault of the screens.
import { open, settle } from '../browser.mjs';
import { payloads, strings } from './payloads.mjs';
import { spoil } from './spoil.mjs';

/** A screen, which answers are long there, how to come to it, and in how many fields each string stands. */
const tasks = [
  { name: 'incident', many: ['incident_show'], steps: [{ keys: ['Enter'], times: 9 }, { click: "[data-testid='tab-trail']", times: 6 }] },
  { name: 'incident-ar', language: 'ar', many: ['incident_show'], steps: [{ keys: ['Enter'], times: 9 }] },
  { name: 'one-by-one', many: [], steps: [{ keys: ['Enter'] }], then: turns },
  { name: 'board', many: ['board'], steps: [], then: rows },
  { name: 'roster', many: ['roster_show'], steps: [{ keys: ['r'], times: 1 }, { keys: ['Escape', 's'], times: 1 }, { keys: ['Escape', 'g', 'o'], times: 6 }] },
  { name: 'reach', many: ['device_reach'], steps: [{ keys: ['g', 'o', 'w'], times: 4 }] },
  { name: 'revoke', many: ['revoke_look'], steps: [{ keys: ['g', 'o', 'j', 'x'], times: 2 }] },
  { name: 'referrals', many: ['referral_list'], steps: [{ keys: ['g', 'r'], times: 5 }] },
  { name: 'exchange', many: ['exchange_status'], steps: [{ keys: ['g', 'e'], times: 2 }] },
  { name: 'log', many: [], steps: [{ chord: 'n' }], then: draft },
  { name: 'silent', many: [], steps: [{ keys: ['g', 'q'] }] },
  { name: 'stations', many: [], steps: [{ chord: 'n' }], then: proposals },
  { name: 'palette', many: [], steps: [{ chord: 'k' }] },
  { name: 'unlock', query: 'vault=locked', many: [], steps: [] },
];

async function come(page, { keys = [], chord, click }) {
  for (const press of keys) { await page.keyboard.press(press); await settle(page); }
  if (chord) { await page.keyboard.down('Control'); await page.keyboard.press(chord); await page.keyboard.up('Control'); }
  if (click) { await page.waitForSelector(click); await page.click(click); }
  await settle(page);
}

/** How many of the strings do not stand in the page as often as they should. */
const missing = (list, times) => {
  const text = (document.querySelector('dialog[open]') ?? document.body).textContent ?? '';
  return list.filter((one) => {
    let at = -1;
    for (let found = 0; found < times; found += 1) {
      at = text.indexOf(one, at + 1);
      if (at < 0) return true;
    }
    return false;
  });
};

/** Every row of the board, a screenful at a time. */
async function rows(page, list, fault) {
  const seen = new Set();
  for (let top = 0, more = true; more;) {
    const found = await page.evaluate(() => [...document.querySelectorAll('.row .summary')].map((node) => node.textContent));
    for (const text of found) seen.add(text);
    top += 600;
    more = await page.evaluate((to) => { const box = document.querySelector('[role=listbox]'); box.scrollTop = to; return box.scrollTop >= to; }, top);
    await settle(page);
  }
  for (const text of await page.evaluate(() => [...document.querySelectorAll('.row .summary')].map((node) => node.textContent))) seen.add(text);
  for (const text of list.filter((one) => !seen.has(one)).slice(0, 3)) fault(`no row says ${JSON.stringify(text).slice(0, 80)}`);
}

/** The fields that stand alone (title, account, mark), each script in each of them in turn. */
async function turns(page, list, fault) {
  const shy = [];
  for (let turn = 0; turn < payloads.length; turn += 1) {
    await page.evaluate((n) => {
      globalThis.gateTurn = n;
      return globalThis.__TAURI_INTERNALS__.invoke('plugin:event|emit', { event: 'changed', payload: { records: [] } });
    }, turn);
    await settle(page);
    const title = await page.evaluate(() => document.querySelector('h1 bdi')?.textContent);
    if (title !== list[turn]) shy.push(list[turn]);
  }
  for (const text of shy.slice(0, 3)) fault(`the title does not say ${JSON.stringify(text).slice(0, 80)}`);
}

/** A draft comes back into the form as it was written. */
async function draft(page, list, fault) {
  const form = await page.evaluate(() => ['summary', 'description'].map((name) => document.querySelector(`[data-testid='field-${name}']`)?.value));
  if (form[0] !== list[2] || form[1] !== list[6]) fault(`the draft came back as ${JSON.stringify(form).slice(0, 120)}`);
}

/** What is proposed for a station is shown as it was written. */
async function proposals(page, list, fault) {
  await page.focus("[data-testid='field-station']");
  await page.keyboard.type('x');
  await settle(page);
  const found = await page.evaluate(() => [...document.querySelectorAll('[role=option]')].map((node) => node.textContent));
  if (!list.slice(0, 8).every((one, n) => found[n]?.includes(one))) fault(`the proposals are ${JSON.stringify(found).slice(0, 120)}`);
}

async function run(page, base, { name, query = '', language = 'en', many, steps, then }, fault) {
  const list = strings();
  page.on('dialog', (dialog) => { fault(`a dialog opened: ${dialog.message()}`); dialog.dismiss().catch(() => undefined); });
  page.on('request', (request) => { if (!request.url().startsWith(base) && !/^(data|blob):/.test(request.url())) fault(`a request left the page: ${request.url().slice(0, 80)}`); });
  page.on('framenavigated', (frame) => { if (frame !== page.mainFrame() || !frame.url().startsWith(base)) fault(`a frame went to ${frame.url().slice(0, 80)}`); });
  await page.evaluateOnNewDocument(spoil, { strings: list, joined: payloads.join(' '), many });
  await open(page, base, [name, query], { language });
  for (const step of steps) {
    await come(page, step);
    const left = step.times ? await page.evaluate(missing, list, step.times) : [];
    for (const text of left.slice(0, 3)) fault(`not shown ${step.times} times as written: ${JSON.stringify(text).slice(0, 80)}`);
  }
  if (then) await then(page, list, fault);
  // What waits for a pointer or for the focus gets both.
  await page.evaluate(() => {
    for (const node of document.querySelectorAll('body *')) for (const kind of ['mouseover', 'focus', 'toggle', 'error', 'load']) node.dispatchEvent(new Event(kind));
  });
  await settle(page);
  const grown = await page.evaluate(() => ({
    pwned: globalThis.pwned,
    strange: [...document.querySelectorAll('#app :is(script, iframe, object, embed, link, meta, base, style, foreignObject, math, video, animate, a[href^="javascript"]), #app img:not([src^="blob:"])')].map((node) => node.outerHTML.slice(0, 80)),
  }));
  if (grown.pwned !== undefined) fault('a script ran');
  for (const node of grown.strange.slice(0, 3)) fault(`text became an element: ${node}`);
}

export const naughty = { tasks, run };
