// Every screen of the window over the paper desk, and how to come to it. A new screen gets a line here
// and is then pictured and held against every gate.
const press = (...keys) => async (page) => { for (const key of keys) await page.keyboard.press(key); };
const chord = async (page, key) => { await page.keyboard.down('Control'); await page.keyboard.press(key); await page.keyboard.up('Control'); };

const map = (...keys) => async (page) => {
  await press('g', 'p')(page);
  await page.waitForSelector("[data-testid^='mark-']");
  await page.waitForSelector("[data-testid='map-ground']");
  await press(...keys)(page);
};

/** The Roster screen with a device chosen and a key pressed on it. */
const device = async (page, name, keyed) => {
  await press('g', 'o')(page);
  await page.waitForSelector(`[data-testid='device-${name}']`);
  await page.click(`[data-testid='device-${name}']`);
  await press(keyed)(page);
  await page.waitForSelector('dialog[open]');
};
const second = async (page) => {
  await device(page, 'Field 12', 'x');
  await page.type("[data-testid='revoke-reason']", 'Laptop taken from the car at 20:50, Lyon 7e');
  await page.waitForSelector("[data-testid='revoke-go']:enabled");
  await chord(page, 'Enter');
  await page.waitForSelector("[data-testid='ask-out']");
  await page.type("[data-testid='ask-out']", '/media/stick/field-12.question');
  await page.keyboard.press('Enter');
};
const apart = async (page) => {
  await page.waitForSelector("[data-testid='row-EMB-0562-0001']");
  await page.click("[data-testid='row-EMB-0562-0001']");
  await press('Enter')(page);
  await page.waitForSelector("[data-testid='apart']");
};

/** name, query, what to do before looking */
export const screens = [
  ['first-run', 'vault=first-run'],
  ['first-start', 'vault=first-run', async (page) => { await page.click("[data-testid='first-start']"); }],
  ['first-join', 'vault=first-run', async (page) => { await page.click("[data-testid='first-join']"); }],
  ['waiting', 'vault=waiting'],
  ['unlock', 'vault=locked'],
  ['unlock-wrong', 'vault=locked', async (page) => { await page.type("[data-testid='unlock-passphrase']", 'wrong'); await page.keyboard.press('Enter'); }],
  ['unlock-opened', 'vault=locked&opened=/media/stick/field-12.parcel'],
  ['exchange-opened', 'vault=open&opened=/media/stick/field-12.parcel', async (page) => { await page.waitForSelector("[data-testid='parcel-read']"); }],
  ['dossier-stranger', 'vault=first-run', async (page) => { await page.click("[data-testid='first-dossier']"); await page.type("[data-testid='dossier-path']", '/media/stick/case-0007'); }],
  ['dossier-gaps', 'opened=/media/stick/gaps.dossier', async (page) => { await page.waitForSelector("[data-testid='verdict']"); }],
  ['dossier-changed', 'opened=/media/stick/changed.dossier', async (page) => { await page.waitForSelector("[data-testid='verdict']"); }],
  ['dossier-sealed', 'opened=/media/stick/sealed.dossier', async (page) => { await page.waitForSelector("[data-testid='dossier-out']"); }],
  ['board', '', async (page) => { await page.waitForSelector("[data-testid^='row-']"); }],
  ['board-dispute', '', press('j', 'j', 'j')],
  ['board-refer', '', press('r')],
  ['board-note', '', press('n')],
  ['board-duplicate', '', press('d')],
  ['board-marked', '', press(' ', ' ')],
  ['board-lanes', '', press('v')],
  ['board-lanes-far', '', press('v', 'l', 'j', 'l')],
  ['board-filter', '', press('f')],
  ['board-filtered', '', async (page) => { await press('f', '3')(page); await page.type("[data-testid='filter-name']", 'Serious'); await page.keyboard.press('Enter'); }],
  ['board-view', '', async (page) => { await press('g', '1')(page); await page.waitForSelector("[data-testid='view-change']"); await page.click("[data-testid='view-change']"); }],
  ['board-arrived', '', async (page) => { await press('j', 'j')(page); await page.evaluate(async () => { for (const severity of [2, 4]) await globalThis.__TAURI_INTERNALS__.invoke('incident_log', { input: { category: 'ops:queue', domains: ['operational'], summary: 'Shots heard near the counting centre', place: 'Lyon 7e', severity } }); }); }],
  ['board-merged', '', async (page) => { await press('d')(page); await page.waitForSelector("[data-testid^='likely-']"); await press('1', 'g', 'b')(page); await page.click("[data-testid='view-all']"); await press('d')(page); await page.waitForSelector("[data-testid='unmerge']"); }],
  ['wall', '', press('g', 'w')],
  ['board-exercise', 'exercise=1'],
  ['incident', '', press('Enter')],
  ['incident-dispute', '', press('j', 'j', 'j', 'Enter')],
  ['trail', '', async (page) => { await page.keyboard.press('Enter'); await page.waitForSelector("[data-testid='tab-trail']"); await page.click("[data-testid='tab-trail']"); }],
  ['incident-then', '', async (page) => { await page.keyboard.press('Enter'); await page.waitForSelector('input[type=range]'); await page.focus('input[type=range]'); for (let i = 0; i < 3; i += 1) await page.keyboard.press('ArrowLeft'); }],
  ['referrals', '', press('g', 'r')],
  ['referrals-decline', '', press('g', 'r', 'x')],
  ['referrals-ladder', '', press('g', 'r', 'L')],
  ['roster', '', press('g', 'o')],
  ['roster-device', '', async (page) => { await press('g', 'o')(page); await page.click("[data-testid='device-Field 31']"); }],
  ['reach', '', async (page) => { await device(page, 'Field 31', 'w'); await page.waitForSelector("[data-testid='reach']"); }],
  ['reach-desk', '', async (page) => { await device(page, 'K2 desk', 'w'); await page.waitForSelector("[data-testid='reach']"); }],
  ['revoke', '', async (page) => { await device(page, 'Field 12', 'x'); await page.type("[data-testid='revoke-reason']", 'Laptop taken from the car at 20:50, Lyon 7e'); }],
  ['revoke-since', '', async (page) => {
    await device(page, 'Field 12', 'x');
    await page.type("[data-testid='revoke-reason']", 'Laptop taken from the car at 20:50, Lyon 7e');
    await page.click("[data-testid='revoke-since']");
    await page.type("[data-testid='revoke-time']", '20:41');
  }],
  ['revoke-second', '', async (page) => { await second(page); }],
  ['revoke-done', '', async (page) => { await second(page); await page.type("[data-testid='approval-path']", '/media/stick/field-12.approval'); await page.keyboard.press('Enter'); await page.waitForSelector("[data-testid='reach']"); }],
  ['approve', '', async (page) => { await device(page, 'Field 12', 'a'); await page.type("[data-testid='approve-path']", '/media/stick/field-12.question'); await page.keyboard.press('Enter'); await page.waitForSelector("[data-testid='approval']"); }],
  ['approve-wrong', '', async (page) => { await device(page, 'Field 12', 'a'); await page.type("[data-testid='approve-path']", '/media/stick/other'); await page.keyboard.press('Enter'); await page.waitForSelector('.problem'); }],
  ['enrol', '', async (page) => { await device(page, 'Field 12', 'n'); await page.type("[data-testid='enrol-path']", '/media/stick/field-44.request'); await page.keyboard.press('Enter'); await page.waitForSelector("[data-testid='request']"); }],
  ['incident-apart', '', async (page) => { await apart(page); }],
  ['trail-apart', '', async (page) => { await apart(page); await page.click("[data-testid='tab-trail']"); }],
  ['board-share', '', press('s')],
  ['exchange', '', press('g', 'e')],
  ['exchange-error', '', async (page) => { await page.keyboard.press('g'); await page.keyboard.press('e'); await page.waitForSelector("[data-testid='lan-address']"); await page.type("[data-testid='lan-address']", '192.0.2.7:4433'); await page.click("[data-testid='lan-call']"); }],
  ['log-empty', 'network=none', async (page) => { await chord(page, 'n'); }],
  ['log', 'network=none', async (page) => {
    await chord(page, 'n');
    await page.waitForSelector("[data-testid='field-station']");
    await page.type("[data-testid='field-station']", '0421 · 12 rue Chevreul, Lyon 7e');
    await page.type("[data-testid='field-occurred']", '20:38');
    await page.type("[data-testid='field-summary']", 'Ballot box destroyed with acid');
    await page.type("[data-testid='field-category']", 'tampering');
    await page.keyboard.press('Enter');
    await page.click("[data-testid='field-severity-4']");
    await page.type("[data-testid='field-people']", 'None hurt. Acid on the floor, room ventilated.');
    await page.type("[data-testid='field-services']", 'Fire brigade called 20:39');
    await page.type("[data-testid='field-description']", 'Two masked persons came in at 20:38, poured liquid from a bottle into box 2 and left on foot towards the river. About 40 ballots were in it. I have closed the room and kept the box as it is.');
    await page.waitForSelector("[data-testid='draft-kept']");
  }],
  ['log-kinds', 'network=none', async (page) => { await chord(page, 'n'); await page.type("[data-testid='field-category']", 'ballot'); }],
  ['log-secrecy', 'network=none', async (page) => { await chord(page, 'n'); await page.waitForSelector("[data-testid='field-description']"); await page.type("[data-testid='field-description']", 'He told everyone that he voted for the Blue list.'); await chord(page, 'Enter'); }],
  ['log-signed', '', async (page) => { await chord(page, 'n'); await page.type("[data-testid='field-summary']", 'Stamp missing'); await page.type("[data-testid='field-category']", 'material'); await page.keyboard.press('Tab'); await chord(page, 'Enter'); await page.waitForSelector("[data-testid='signed']"); }],
  ['log-stations', 'network=none', async (page) => { await chord(page, 'n'); await page.type("[data-testid='field-station']", 'lyon'); await page.keyboard.press('ArrowDown'); }],
  ['log-told', '', async (page) => {
    await chord(page, 'n');
    await page.keyboard.press('F2');
    await page.type("[data-testid='field-station']", '0733');
    await page.keyboard.press('Tab');
    await page.type("[data-testid='field-reporter']", 'M. Keller, observer, call sign OBS 4');
    await page.select("[data-testid='field-channel']", 'radio');
    await page.select("[data-testid='field-reliability']", 'b');
    await page.type("[data-testid='field-summary']", 'Observer refused entry to the count');
    await page.type("[data-testid='field-category']", 'observer');
    await page.keyboard.press('Tab');
    await page.click("[data-testid='field-severity-2']");
    await page.waitForSelector("[data-testid='draft-kept']");
  }],
  ['silent', '', press('g', 'q', 'j')],
  ['silent-call', '', async (page) => { await press('g', 'q')(page); await page.waitForSelector("[data-testid^='silent-']"); await press('Enter')(page); await page.waitForSelector("[data-testid='draft-kept']"); }],
  ['silent-none', 'stations=heard', press('g', 'q')],
  ['stations', '', async (page) => { await press('g', 'q', 'i')(page); await page.waitForSelector("[data-testid='stations-path']"); await page.type("[data-testid='stations-day']", '4 October'); }],
  ['stations-done', '', async (page) => { await press('g', 'q', 'i')(page); await page.waitForSelector("[data-testid='stations-path']"); await page.type("[data-testid='stations-path']", '/media/stick/stations.csv'); await page.keyboard.press('Enter'); await page.waitForSelector("[data-testid='stations-done']"); }],
  ['silent-no-list', 'stations=none', press('g', 'q')],
  ['incident-told', '', press('j', 'j', 'j', 'j', 'Enter')],
  ['map', '', map('j', 'j')],
  ['map-point', '', async (page) => { await map()(page); await page.click("[data-testid='at-EMB-0421-0007']"); await press('+', '+', '+')(page); }],
  ['map-close', '', map('j', 'Enter')],
  ['map-world', '', map('-', '-', '-', '-', '-', '-')],
  ['map-streets', '', async (page) => {
    await map()(page);
    await page.click("[data-testid='map-ground-choose']");
    await page.type("[data-testid='ground-path']", '/media/stick/towns.pmtiles');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => !document.querySelector('dialog'));
    await page.click("[data-testid='at-EMB-0421-0007']");
    await press('+', '+')(page);
  }],
  ['map-ground', '', async (page) => { await map()(page); await page.click("[data-testid='map-ground-choose']"); await page.type("[data-testid='ground-path']", '/media/stick/other.zip'); await page.keyboard.press('Enter'); await page.waitForSelector("[role='alert']"); }],
  ['map-empty', 'places=none', press('g', 'p')],
  ['sitrep', '', async (page) => { await press('g', 's')(page); await page.waitForSelector("[data-testid='section-situation']"); }],
  ['handover', '', async (page) => { await press('g', 's')(page); await page.waitForSelector("[data-testid='section-situation']"); await press('j')(page); await page.waitForSelector("[data-testid='sign-taken-over']"); }],
  ['ics209', '', async (page) => { await press('g', 's')(page); await page.waitForSelector("[data-testid='report-form']"); await page.select("[data-testid='report-form']", '209'); }],
  ['ics214', '', async (page) => { await press('g', 's')(page); await page.waitForSelector("[data-testid='report-form']"); await page.select("[data-testid='report-form']", '214'); }],
  ['exercise', 'exercise=1', async (page) => { await page.waitForSelector("[data-testid='exercise-mark']"); await page.click("[data-testid='exercise-mark']"); await page.waitForSelector("[data-testid='exercise-play']"); await page.click("[data-testid='exercise-play']"); await page.waitForSelector("[data-testid='exercise-stop']"); }],
  ['keys', '', press('?')],
  ['gallery', 'gallery'],
  ['gallery-ask', 'gallery', async (page) => { await page.click("[data-testid='open-asklong']"); }],
  ['gallery-choose', 'gallery', async (page) => { await page.click("[data-testid='open-choose']"); }],
  ['palette', '', async (page) => { await chord(page, 'k'); await page.keyboard.type('bal'); }],
];
