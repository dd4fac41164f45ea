// The accessibility rules on a screen, in each theme. A theme changes colours and widths of lines and
// nothing else, so the rules that look at those are held in each, and all the others once.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { settle, wish } from '../browser.mjs';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const standards = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const coloured = ['color-contrast', 'target-size', 'link-in-text-block'];

export async function axe(page, fault) {
  await page.evaluate(source);
  const rtl = await page.evaluate(() => document.documentElement.dir === 'rtl');
  // What the system may ask for does not depend on the direction.
  for (const [theme, more] of [['dark'], ['light'], ['contrast'], ...(rtl ? [] : [['light', true], ['dark', true]])]) {
    await page.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
    if (more) await wish(page, { 'prefers-contrast': 'more' });
    await settle(page);
    const runOnly = theme === 'dark' && !more ? { type: 'tag', values: standards } : { type: 'rule', values: coloured };
    const { violations } = await page.evaluate((only) => globalThis.axe.run(document, { runOnly: only, resultTypes: ['violations'] }), runOnly);
    for (const rule of violations) {
      const where = rule.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary.split('\n')[1]?.trim() ?? ''}`).join(' | ');
      fault(`${theme}${more ? ', more contrast' : ''}: ${rule.id}: ${where}`);
    }
  }
  await wish(page, {});
}
