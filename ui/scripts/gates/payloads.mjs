// What a stranger may write into any field: the public list of naughty strings, and scripts that
// would tell of themselves if one ever ran.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const run = 'window.pwned=1';
const away = 'https://elsewhere.invalid/';
export const payloads = [
  `<script>${run}</script>`, `</script><script>${run}</script>`, `</title></style></textarea><script>${run}</script>`,
  `<img src=x onerror="${run}">`, `"><img src=x onerror=${run}>`, `'><img src=x onerror=${run}>`, `<svg onload="${run}">`, `<svg><animate onbegin="${run}" attributeName=x dur=1s>`,
  `<svg><a xlink:href="javascript:${run}"><text y=9>x</text></a></svg>`, `<svg><foreignObject><iframe srcdoc="<script>parent.pwned=1</script>"></iframe></foreignObject></svg>`,
  `<math><mtext><table><mglyph><style><img src=x onerror=${run}>`, `<iframe src="javascript:parent.pwned=1"></iframe>`, `<object data="data:text/html,<script>parent.pwned=1</script>"></object>`,
  `<details open ontoggle=${run}>`, `<input autofocus onfocus=${run}>`, `" autofocus onfocus="${run}`, `' onmouseover='${run}`, `<video><source onerror="${run}"></video>`, `<body onload=${run}>`,
  `javascript:${run}`, `data:text/html,<script>${run}</script>`, `vbscript:${run}`, `{@html '<img src=x onerror=${run}>'}`, '${window.pwned=1}', `{{constructor.constructor('${run}')()}}`, `{window.pwned=1}`,
  `<img src="${away}a.png">`, `<link rel=stylesheet href="${away}a.css">`, `<style>@import url(${away}b.css); * { background: url(${away}c.png) }</style>`, `url(${away}d.png)`,
  `<meta http-equiv=refresh content="0;url=${away}">`, `<base href="${away}">`, `<form action="${away}"><button autofocus>x</button></form>`, `![x](${away}e.png)`,
  'constructor', '__proto__', 'toString', 'valueOf', '{n}', '{name:one|many}', '$& $1 $`', '\u202Egnp.exe', '\u2066\u2067\u2068', '\u0000\u0001\u001b[31m', '\uFEFFx\u200B\u2060', 'a'.repeat(4000), 'نص'.repeat(400), 'Z\u0351\u036B\u0343A'.repeat(60),
];

/** Each once; the empty one shows nothing. */
export function strings() {
  const shared = process.env.INTACT_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
  const file = `${shared}/external/blns/blns.json`;
  if (!existsSync(file)) throw new Error(`the list of naughty strings is not at ${file}: set INTACT_SHARED`);
  const list = JSON.parse(readFileSync(file, 'utf8'));
  if (list.length < 500) throw new Error(`${file} holds only ${list.length} strings`);
  return [...new Set([...payloads, ...list])].filter((text) => text.trim() !== '');
}
