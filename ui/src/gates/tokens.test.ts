// Colours, sizes in pixels and durations are named once, in shared/tokens.css.
import { expect, it } from 'vitest';

const sources = import.meta.glob<string>('../**/*.svelte', { query: '?raw', import: 'default', eager: true });
const sheets = import.meta.glob<string>(['../**/*.css', '!../shared/tokens.css'], { query: '?raw', import: 'default', eager: true });

const colour = /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|lab|lch|oklab|oklch|hwb|color)a?\(|:\s*(?:[^;{}]*\s)?(?:white|black|red|green|blue|gray|grey|orange|yellow)\b(?=[^{}]*;)/gi;
const raw = /(?<![\w.-])\d*\.?\d+(?:px|ms|s)\b/g;

/** What a stylesheet says in numbers of its own. */
export function unnamed(css: string): string[] {
  const plain = css.replace(/\/\*[\s\S]*?\*\//g, '');
  return [...(plain.match(colour) ?? []), ...(plain.match(raw) ?? [])].map((found) => found.trim());
}
const styleOf = (source: string) => /<style[^>]*>([\s\S]*)<\/style>/.exec(source)?.[1] ?? '';
/** Colours in attributes: `fill="#fff"`, `style="color: red"`. */
const painted = (source: string) => source.replace(/<(script|style)[^>]*>[\s\S]*?<\/\1>/g, '').match(/(?:fill|stroke|stop-color|color|style)="[^"]*(?:#[0-9a-f]{3}|rgb|hsl)[^"]*"/gi) ?? [];

it('tells a raw value from a named one', () => {
  expect(unnamed('p { color: var(--text); margin: calc(-1 * var(--s2)); inset: 0; }')).toEqual([]);
  expect(unnamed('p { color: #fff; padding: 3px; transition: color 90ms; background: color-mix(in srgb, var(--a) 8%, var(--b)) }')).toEqual(['#fff', '3px', '90ms']);
  expect(unnamed('p { background: rgb(0 0 0); border: 1px solid red; }')).toEqual(['rgb(', ': 1px solid red', '1px']);
});

for (const [path, source] of Object.entries(sources)) {
  it(`${path} takes its colours and sizes from the tokens`, () => {
    expect(unnamed(styleOf(source))).toEqual([]);
    expect(painted(source)).toEqual([]);
  });
}
it('so do the other stylesheets', () => {
  for (const [path, css] of Object.entries(sheets)) expect(unnamed(css), path).toEqual([]);
});
