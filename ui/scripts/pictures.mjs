// The page of pictures: every screen over the paper desk, dark, light and right-to-left, and the page
// that shows them. Run it when screens have changed, and look at what it made.
//   npm run pictures [-- --only board]
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open, serve, share, tab } from './browser.mjs';
import { screens } from './screens.mjs';

/** A screen, what it is called, and what is to be seen. */
const shown = [
  ['first-run', 'First run', 'Start an election, join one, or open an exercise.'],
  ['unlock', 'Unlock', 'Which election, which device, when it last exchanged; nothing out of a record.'],
  ['board', 'Board', 'What is new, what is late, what is critical; the selected incident with its referral and trail. Every key is named.'],
  ['board-lanes', 'Board, as lanes', '`v` turns the list into lanes by state; `h` and `l` go from lane to lane, and the same keys act.'],
  ['board-arrived', 'Board, while reports arrive', 'The selected row stays where it is; a sign says what arrived above, and whether it is critical.'],
  ['board-filter', 'Filter', '`f` narrows by severity, kind and state, and keeps it under a name; `g` and a digit come back to it.'],
  ['board-duplicate', 'Likely duplicate', '`d` shows two reports side by side: what differs, and which one stays. A digit merges.'],
  ['board-merged', 'A merge taken back', '`d` on a merged report, then `Enter`. Both reports remain.'],
  ['board-refer', 'Refer', 'Whom, what is asked, by when; and who will be able to read what, before anything is sent.'],
  ['board-share', 'Share', 'A sentence says who will be able to read.'],
  ['incident-dispute', 'Incident, with a dispute', 'Two values that knew nothing of each other stand side by side until one settles them.'],
  ['incident', 'Incident', 'Facts, timeline, referrals, exhibits; the slider goes back to what was known then.'],
  ['trail', 'Trail', 'The signed chain: each entry, its author, its device, its check.'],
  ['log', 'Log an incident', 'Eight fields, the draft kept at each keystroke, the audience in a sentence.'],
  ['log-secrecy', 'The secrecy of the ballot', 'A text that may tell how someone voted is stopped before it is signed.'],
  ['log-told', 'Taken down from a radio', '`F2`: who told it, over what, and how far to trust it; the teller is sealed apart.'],
  ['log-stations', 'Stations proposed', 'A code, a word of the name or of the place, with or without accents.'],
  ['referrals', 'Referrals', 'What is asked of us and by us: timers, steps with who and when, and whom to alert when nobody answers.'],
  ['referrals-ladder', 'Ladder on silence', 'After how many minutes without an answer, whom to alert.'],
  ['map', 'Map', 'The same selection as the board, without a network.'],
  ['exchange', 'Exchange', 'Who has what, over which way, and what was not taken in.'],
  ['roster', 'Institutions and devices', 'Only the signed list counts.'],
  ['revoke-second', 'Revoke', 'Why, up to which entry it counts, and who must approve.'],
  ['reach', 'What it could read', 'By the keys known here; what to do next.'],
  ['approve', 'The second approver', 'The question, the cut and the reason, before anything is signed.'],
  ['enrol', 'Enrol', 'The id to compare by telephone, and what the device will read.'],
  ['incident-apart', 'Entries after the cut', 'They stand apart, labelled, and count for nothing.'],
  ['stations-done', 'Stations brought in', 'What became of each row of the list; what was refused, and why.'],
  ['dossier-gaps', 'A dossier is checked', 'Opened by double-click: the verdict first, gaps before everything else. It needs no vault, only a trust file.'],
  ['silent', 'Silent stations', 'What was expected by when, and has not come.'],
  ['sitrep', 'Situation report', 'Counted in one step; each number opens its rows; several desks write at once.'],
  ['handover', 'Handover', 'What is open, overdue and promised; the incoming lead signs.'],
  ['ics209', 'ICS 209', 'The same report under the headings of the form.'],
  ['ics214', 'ICS 214', 'What this desk did, in order.'],
  ['exercise', 'Exercise', 'The scripted night, at any speed; the frame says that it is one.'],
  ['wall', 'Wallboard', 'For the other end of the room.'],
  ['palette', 'Find anything', '`Ctrl K`: incidents and commands.'],
  ['keys', 'Keys', '`?` shows them on every screen.'],
];
const looks = [['dark', { theme: 'dark', language: 'en' }], ['light', { theme: 'light', language: 'en' }], ['arabic', { theme: 'dark', language: 'ar' }]];
const LIMIT = 6_000_000;

const docs = fileURLToPath(new URL('../../docs', import.meta.url));
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
mkdirSync(`${docs}/pictures/screens`, { recursive: true });
if (!only) for (const file of readdirSync(`${docs}/pictures/screens`)) rmSync(`${docs}/pictures/screens/${file}`);

const site = await serve();
const tasks = shown.filter(([name]) => name.startsWith(only)).flatMap(([name]) => looks.map(([look, choices]) => {
  const screen = screens.find(([known]) => known === name);
  if (!screen) throw new Error(`${name} is no screen of screens.mjs`);
  return { name, screen, look, choices };
}));
await share(tasks, 2, async (browser, { name, screen, look, choices }) => {
  const page = await tab(browser, (text) => { console.log(`${name}-${look}: ${text}`); process.exitCode = 1; });
  await open(page, site.base, screen, { ...choices, width: 1280, height: 800 });
  await page.screenshot({ path: `${docs}/pictures/screens/${name}-${look}.webp`, type: 'webp', quality: 60 });
  await page.close();
});
await site.close();

const page = `# Screens

Each screen in the dark theme, in the light one, and in Arabic, where everything runs the other way. The night is invented. \`npm run pictures\` in \`ui\` makes this page.

${shown.map(([name, title, text]) => `## ${title}

${text}

${looks.map(([look]) => `![${title}, ${look}](pictures/screens/${name}-${look}.webp)`).join('\n')}
`).join('\n')}`;
writeFileSync(`${docs}/screens.md`, page);
const size = readdirSync(`${docs}/pictures/screens`).reduce((sum, file) => sum + statSync(`${docs}/pictures/screens/${file}`).size, 0);
console.log(`${tasks.length} pictures, ${(size / 1e6).toFixed(2)} MB in all`);
if (size > LIMIT) { console.log(`more than ${LIMIT / 1e6} MB`); process.exitCode = 1; }
