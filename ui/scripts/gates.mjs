// The gates that need a browser: accessibility, keyboard, large text, hostile text, rows that arrive. Every screen, every
// theme, both directions. Exits 1 on any finding.
//   npm run gates -- [--only board] [--gate text] [--times]
import { open, serve, share, tab } from './browser.mjs';
import { axe } from './gates/axe.mjs';
import { keyboard } from './gates/keyboard.mjs';
import { naughty } from './gates/naughty.mjs';
import { steady } from './gates/steady.mjs';
import { text } from './gates/text.mjs';
import { screens } from './screens.mjs';

const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : '');
const [only, gate] = [option('--only'), option('--gate')];
const slow = process.argv.includes('--times');
const began = performance.now();

/** One opening of a screen, and what is held against it there. */
const visits = [
  { look: { language: 'en' }, gates: { axe, keyboard } },
  // The order of Tab and the ring do not depend on the direction.
  { look: { language: 'ar' }, gates: { axe } },
  { look: { language: 'fr', scale: 200 }, gates: { text } },
  { look: { language: 'ar', scale: 200 }, gates: { text } },
  { look: { language: 'fr', width: 960, height: 640 }, gates: { text } },
];

// Those that walk through screens of their own.
const walks = { naughty, steady };

let faults = 0;
let held = 0;
const site = await serve();
const tasks = screens.filter(([name]) => name.startsWith(only)).flatMap((screen) => visits.map((visit) => ({ screen, ...visit })))
  .filter(({ gates }) => !gate || Object.keys(gates).includes(gate));

const walked = only ? [] : Object.entries(walks).filter(([name]) => !gate || gate === name).flatMap(([group, { tasks: own }]) => own.map((task) => ({ ...task, group })));
await share([...walked, ...tasks], 2, async (browser, task) => {
  const label = task.screen ? [task.screen[0], task.look.language, task.look.scale, task.look.width].filter(Boolean).join('-') : `${task.group}-${task.name}`;
  const fault = (line) => { faults += 1; console.log(`${label}: ${line}`); };
  const start = performance.now();
  const page = await tab(browser, fault);
  try {
    if (!task.screen) { await walks[task.group].run(page, site.base, task, fault); held += 1; return; }
    await open(page, site.base, task.screen, { theme: 'dark', ...task.look });
    for (const [name, run] of Object.entries(task.gates)) if (!gate || gate === name) { await run(page, fault); held += 1; }
  } catch (error) {
    fault(`could not be looked at: ${error.message}`);
  } finally {
    if (slow) console.log(`  ${label} ${Math.round(performance.now() - start)} ms`);
    await page.close();
  }
});
await site.close();
if (held === 0) { faults += 1; console.log('nothing was looked at'); }
console.log(`${faults === 0 ? 'every gate holds' : `${faults} faults`}: ${held} looks in ${Math.round((performance.now() - began) / 1000)} s`);
process.exit(faults === 0 ? 0 : 1);
