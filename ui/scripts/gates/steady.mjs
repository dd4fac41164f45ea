// What is selected does not jump while rows arrive: it stays at its place on the screen, the keys go on
// from it, and a row that another takes out of the view leaves nobody on a different incident.
import { open, settle } from '../browser.mjs';

const MANY = 50;
const j = (n) => Array(n).fill('j');
const tasks = [
  { name: 'top', keys: [], sign: true },
  { name: 'list', keys: j(5), sign: true },
  { name: 'deep', keys: j(60), sign: true },
  { name: 'lanes', keys: ['v', 'k'] },
  { name: 'other-lane', keys: ['v', 'l', 'l', 'j'] },
  { name: 'away', keys: j(4), sign: true, wheel: 3000 },
  { name: 'gone', keys: j(2), gone: true },
];

/** The selected row and its neighbours, as they stand on the screen. */
const here = () => {
  const node = document.querySelector("[role='option'].on");
  const box = node?.getBoundingClientRect();
  const near = [...((node?.closest('[role=listbox]') ?? document.querySelector('[role=listbox]'))?.querySelectorAll("[role='option']") ?? [])].sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top);
  return { id: node?.id, top: box?.top, below: near[near.indexOf(node) + 1]?.id, first: near[0]?.id, firstTop: near[0]?.getBoundingClientRect().top, scrolled: document.querySelector('[role=listbox]')?.scrollTop };
};
const press = async (page, keys) => { for (const key of keys) { await page.keyboard.press(key); await settle(page); } };
const invoke = (page, command, args) => page.evaluate((name, of) => globalThis.__TAURI_INTERNALS__.invoke(name, of), command, args);

async function arrive(page) {
  await page.evaluate(async (many) => {
    for (let n = 0; n < many; n += 1) {
      await globalThis.__TAURI_INTERNALS__.invoke('incident_log', { input: { category: 'ops:queue', domains: ['operational'], summary: `Arrived ${n}`, station: '0999', severity: n === 7 ? 4 : 2 } });
    }
  }, MANY);
  await settle(page);
}

async function run(page, base, { name, keys, sign, wheel, gone }, fault) {
  await open(page, base, [name, '']);
  await press(page, keys);
  if (wheel) {
    await page.evaluate((by) => { document.querySelector('[role=listbox]').scrollTop += by; }, wheel);
    await settle(page);
  }
  const before = await page.evaluate(here);
  if (!before.id && !wheel) { fault('nothing is selected'); return; }
  if (gone) { await leaves(page, before, fault); return; }
  await arrive(page);
  const after = await page.evaluate(here);
  if (wheel) {
    // What is read far from the selected row stays too.
    if (!before.first || before.id) fault('the selected row is still there: nothing is shown by this');
    if (after.first !== before.first || Math.abs(after.firstTop - before.firstTop) > 1) fault(`what was in view moved: ${before.first} at ${before.firstTop}, now ${after.first} at ${after.firstTop}`);
  } else {
    if (after.id !== before.id) fault(`another row is selected: ${before.id}, now ${after.id}`);
    if (Math.abs(after.top - before.top) > 1) fault(`the selected row went from ${before.top} to ${after.top}`);
    await press(page, ['j']);
    const next = await page.evaluate(here);
    if (next.id !== before.below) fault(`j went to ${next.id}, below it was ${before.below}`);
    await press(page, ['k']);
    const back = await page.evaluate(here);
    if (back.id !== before.id) fault(`k went to ${back.id}, not back to ${before.id}`);
  }
  if (!sign) return;
  const said = await page.evaluate(() => document.querySelector("[data-testid='above']")?.textContent ?? '');
  if (!said.includes(String(MANY))) fault(`the sign of what arrived says "${said}", not ${MANY}`);
  await press(page, ['Home']);
  const top = await page.evaluate(() => ({ scrolled: document.querySelector('[role=listbox]').scrollTop, sign: document.querySelector("[data-testid='above']")?.textContent, on: document.querySelector("[role='option'].on .summary")?.textContent }));
  if (top.scrolled !== 0 || top.sign || !top.on?.startsWith('Arrived')) fault(`Home came to ${JSON.stringify(top)}`);
}

/** Another closes the selected incident: it stays before the eyes, and j goes to what came after it. */
async function leaves(page, before, fault) {
  const shown = () => page.evaluate(() => document.querySelector('.detail .mono')?.textContent);
  const reference = await shown();
  await invoke(page, 'incident_state', { reference, state: 'closed' });
  await invoke(page, 'plugin:event|emit', { event: 'changed', payload: { records: [] } });
  await settle(page);
  const after = await page.evaluate(here);
  if (after.id) fault(`${after.id} was selected without a key`);
  if (await shown() !== reference) fault(`${await shown()} is shown without a key`);
  await press(page, ['j']);
  const next = await page.evaluate(here);
  if (next.id !== before.below) fault(`j went to ${next.id}, after it was ${before.below}`);
}

export const steady = { tasks, run };
