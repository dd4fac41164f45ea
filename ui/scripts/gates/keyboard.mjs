// Everything that can be done with a pointer is come to with Tab, and shows that it is there.
/** What must be come to: a group of radio buttons is one stop, arrows choose inside it. */
const stops = () => {
  const open = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  const seen = new Set();
  const found = [...open.querySelectorAll('button, a[href], input, select, textarea, [tabindex="0"]')].filter((node) => {
    if (node.disabled || node.hidden || node.getClientRects().length === 0 || getComputedStyle(node).visibility === 'hidden') return false;
    if (node.type !== 'radio') return true;
    if (node.name && seen.has(node.name)) return false;
    if (!node.name && seen.has(node.closest('fieldset'))) return false;
    seen.add(node.name || node.closest('fieldset'));
    return true;
  });
  globalThis.gateStops = new Map(found.map((node) => [node, false]));
  return found.length;
};

/** Where the focus is, and whether a ring of two pixels or more says so. */
const here = () => {
  const node = document.activeElement;
  if (!node || node === document.body) return { left: null };
  const called = () => `<${node.tagName.toLowerCase()} ${node.dataset.testid ?? node.id}> "${(node.getAttribute('aria-label') ?? node.textContent ?? '').trim().slice(0, 40)}"`;
  const group = node.type === 'radio' ? [...globalThis.gateStops.keys()].find((stop) => stop.type === 'radio' && (stop === node || (stop.name === node.name && stop.closest('fieldset') === node.closest('fieldset')))) : node;
  const first = globalThis.gateStops.get(group) === false;
  if (first) globalThis.gateStops.set(group, true);
  const left = [...globalThis.gateStops.values()].filter((done) => !done).length;
  if (!first) return { left };
  const ringed = (one) => {
    const style = getComputedStyle(one);
    return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && !/, 0\)|\/ 0\)|transparent/.test(style.outlineColor) && style.opacity !== '0';
  };
  const ring = ringed(node) || (node.parentElement !== null && ringed(node.parentElement));
  const box = node.getBoundingClientRect();
  const inside = box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight;
  return { left, fault: !ring ? `${called()} has no ring` : inside ? null : `${called()} is focused out of sight` };
};

export async function keyboard(page, fault) {
  const count = await page.evaluate(stops);
  await page.evaluate(() => { if (!document.querySelector('dialog[open]')) document.activeElement?.blur?.(); });
  let left = count;
  for (let turn = 0; left > 0 && turn < 2 * count + 8; turn += 1) {
    await page.keyboard.press('Tab');
    const found = await page.evaluate(here);
    if (found.left !== null) left = found.left;
    if (found.fault) fault(found.fault);
  }
  const missed = await page.evaluate(() => [...globalThis.gateStops].filter(([, done]) => !done).map(([node]) => `${node.tagName.toLowerCase()} ${node.dataset.testid ?? node.id ?? ''} "${(node.getAttribute('aria-label') ?? node.textContent ?? '').trim().slice(0, 40)}"`));
  for (const node of missed) fault(`Tab does not come to ${node}`);
}
