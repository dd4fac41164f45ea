// No word is cut off and none lies on another: with text at 200 % in the longest language and in the
// one that runs the other way, and in the smallest window.
const cut = () => {
  const found = [];
  const said = (node) => `<${node.tagName.toLowerCase()}${node.className && typeof node.className === 'string' ? `.${node.className.replace(/ ?svelte-\w+/g, '').replaceAll(' ', '.')}` : ''}> "${(node.textContent ?? '').trim().slice(0, 60)}"`;
  const scope = [...document.querySelectorAll('dialog[open]')].at(-1) ?? document.body;
  if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${innerWidth}`);
  const unseen = (node) => node.closest('.unseen, [aria-hidden="true"], option') !== null || getComputedStyle(node).clipPath !== 'none';
  const scrolls = (node) => { for (let up = node.parentElement; up; up = up.parentElement) if (/auto|scroll/.test(getComputedStyle(up).overflowX) && up.scrollWidth > up.clientWidth + 1) return true; return false; };
  for (const node of scope.querySelectorAll('*')) {
    if (node.getClientRects().length === 0 || node.namespaceURI?.endsWith('svg') || unseen(node)) continue;
    const style = getComputedStyle(node);
    if (style.visibility === 'hidden' || style.opacity === '0') continue;
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim() !== '');
    const wide = node.clientWidth > 0 && node.scrollWidth > node.clientWidth + 1;
    const high = node.clientHeight > 0 && node.scrollHeight > node.clientHeight + 1;
    const field = /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName);
    if (!field && style.overflowX === 'hidden' && wide) {
      // Three dots are fair where the whole is said elsewhere: on hover, or in the row's own pane.
      const whole = style.textOverflow === 'ellipsis' && (node.closest('[title]') || node.closest('[role="option"]') || node.querySelector('[title]'));
      if (!whole) found.push(`cut off: ${said(node)}`);
    }
    if (!field && /hidden|clip/.test(style.overflowY) && high && own) found.push(`cut off below: ${said(node)}`);
    if (own && wide && style.overflowX === 'visible') found.push(`runs out of its box: ${said(node)}`);
    const box = node.getBoundingClientRect();
    if ((own || field || node.tagName === 'BUTTON') && (box.left < -1 || box.right > innerWidth + 1) && !scrolls(node)) found.push(`out of the window: ${said(node)}`);
  }
  // Words on words: the lines of text of two elements that are not one inside the other.
  const lines = [];
  const walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const parent = text.parentElement;
    if (!text.data.trim() || !parent || parent.closest('script, style, select') || unseen(parent) || getComputedStyle(parent).visibility === 'hidden' || parent.getClientRects().length === 0) continue;
    let frame = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    for (let up = parent; up; up = up.parentElement) {
      if (getComputedStyle(up).overflowX === 'visible' && getComputedStyle(up).overflowY === 'visible') continue;
      const box = up.getBoundingClientRect();
      frame = { left: Math.max(frame.left, box.left), top: Math.max(frame.top, box.top), right: Math.min(frame.right, box.right), bottom: Math.min(frame.bottom, box.bottom) };
    }
    const range = document.createRange();
    range.selectNodeContents(text);
    for (const box of range.getClientRects()) {
      const [left, top, right, bottom] = [Math.max(box.left, frame.left), Math.max(box.top, frame.top), Math.min(box.right, frame.right), Math.min(box.bottom, frame.bottom)];
      if (right - left > 2 && bottom - top > 2) lines.push({ parent, left, top, right, bottom });
    }
  }
  // A list that has opened over a field hides what is under it: no letters meet.
  const covered = (a, b) => {
    const stack = document.elementsFromPoint((Math.max(a.left, b.left) + Math.min(a.right, b.right)) / 2, (Math.max(a.top, b.top) + Math.min(a.bottom, b.bottom)) / 2);
    const top = stack.find((node) => node === a.parent || node === b.parent);
    const under = top === a.parent ? b.parent : a.parent;
    return top !== undefined && stack.some((node) => node.contains(top) && !node.contains(under) && /^rgb\(/.test(getComputedStyle(node).backgroundColor));
  };
  lines.forEach((a, at) => {
    for (const b of lines.slice(at + 1)) {
      if (a.parent === b.parent) continue;
      const over = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const deep = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      // Line boxes of a tight leading touch; letters do not.
      const low = Math.min(a.bottom - a.top, b.bottom - b.top);
      if (over > 2 && deep > low / 3 && !covered(a, b)) found.push(`lies on another: ${said(a.parent)} and ${said(b.parent)}`);
    }
  });
  return [...new Set(found)].slice(0, 8);
};

export async function text(page, fault) {
  for (const line of await page.evaluate(cut)) fault(line);
}
