// No word reaches the screen but through the catalogue: text, and attributes that are read out.
import { parse } from 'svelte/compiler';
import { expect, it } from 'vitest';

// The gallery speaks to those who build the window; it is not shipped.
const sources = import.meta.glob<string>(['../**/*.svelte', '!../gallery/**'], { query: '?raw', import: 'default', eager: true });

/** The same in every language: names, standards, what a machine reads. */
const bare = [/^Intact$/, /^TLP:$/, /^SHA-256$/, /^wss:\/\/$/, /^[\d.]+:\d+$/, /^\/media\/stick\/[\w.-]+$/, /^emb$/];
const spoken = new Set(['aria-label', 'aria-valuetext', 'aria-description', 'title', 'placeholder', 'alt', 'label', 'hint', 'note', 'ok', 'cancel']);

interface Node { type: string; [key: string]: unknown }
const isNode = (thing: unknown): thing is Node => typeof thing === 'object' && thing !== null && 'type' in thing;

/** The strings that an expression may come to; what is handed to a function is that function's matter. */
function strings(node: unknown): string[] {
  if (!isNode(node)) return [];
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? [node['value']] : [];
  if (node.type === 'ConditionalExpression') return [...strings(node['consequent']), ...strings(node['alternate'])];
  if (node.type === 'LogicalExpression' || node.type === 'BinaryExpression') return [...strings(node['left']), ...strings(node['right'])];
  if (node.type !== 'TemplateLiteral') return [];
  const quasis = node['quasis'] as { value: { cooked: string } }[];
  return [...quasis.map((quasi) => quasi.value.cooked), ...(node['expressions'] as unknown[]).flatMap(strings)];
}

function said(node: unknown, found: string[] = []): string[] {
  if (Array.isArray(node)) { for (const one of node) said(one, found); return found; }
  if (!isNode(node) || (node.type === 'RegularElement' && node['name'] === 'kbd')) return found;
  if (node.type === 'Text') found.push(String(node['data']));
  else if (node.type === 'ExpressionTag') found.push(...strings(node['expression']));
  else if (node.type === 'StyleDirective' || (node.type === 'Attribute' && !spoken.has(String(node['name'])))) return found;
  for (const [name, part] of Object.entries(node)) {
    if (!['expression', 'metadata', 'css', 'instance', 'module', 'test', 'context'].includes(name)) said(part, found);
  }
  return found;
}

/** What a source says in words of its own. */
export function foreign(source: string): string[] {
  const words = said(parse(source, { modern: true }).fragment).flatMap((text) => text.split(/\s+·\s+|\n/)).map((text) => text.trim());
  return words.filter((text) => /\p{L}/u.test(text) && !bare.some((known) => known.test(text)));
}

it('finds words in text, in what is read out, and in either branch of a choice', () => {
  const source = `<p title="Hello">One {x ? 'two' : t('three')}</p><Field label={\`four \${n}\`} testid="five" /><kbd>Ctrl</kbd><b>Intact</b>`;
  expect(foreign(source)).toEqual(['Hello', 'One', 'two', 'four']);
});

it('reads every component', () => expect(Object.keys(sources).length).toBeGreaterThan(20));

for (const [path, source] of Object.entries(sources)) {
  it(`${path} says nothing but through the catalogue`, () => expect(foreign(source)).toEqual([]));
}
