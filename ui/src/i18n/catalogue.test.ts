import { expect, it, vi } from 'vitest';
import { ar } from './ar';
import { known, schemes, told } from './codes';
import { en } from './en';
import { fr } from './fr';
import { categories } from '../vocab';

// The chosen language is kept by the window; here there is none.
vi.hoisted(() => { vi.stubGlobal('localStorage', { getItem: () => 'en' }); });

/** `{n}` and `{n:entry|entries}` are blanks; a language may give forms for a number where another needs none. */
const blanks = (s: string) => [...new Set([...s.matchAll(/\{(\w+)[:}]/g)].map(([, name]) => name))].sort();

// Words that are the same in both languages. Whatever is added here was looked at.
const same: Record<'fr' | 'ar', string[]> = {
  fr: ['brandIncident', 'institutions', 'whom', 'noteText', 'ok', 'incidents', 'nIncidents', 'secSituation', 'secActions', 'icsOrganisation', 'signatures', 'dossierOf', 'verdictIntact'],
  ar: [],
};
const sameCodes: Record<'fr' | 'ar', string[]> = {
  fr: ['domain/cyber', 'domain/information', 'relation/incident', 'action/note', 'field/phase', 'field/lat_e7', 'field/lon_e7', 'field/source', 'channel/radio', 'channel/message', 'kind/police', 'kind/cert'],
  ar: [],
};

for (const [language, words] of [['fr', fr], ['ar', ar]] as const) {
  it(`${language} says everything, with the same blanks, and nothing that English does not`, () => {
    expect(Object.keys(words).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) {
      const said = words[key as keyof typeof en];
      expect(said.trim(), key).toBeTruthy();
      expect(blanks(said), key).toEqual(blanks(text));
    }
  });
  it(`${language} leaves nothing in English`, () => {
    const left = Object.entries(en).filter(([key, text]) => /\p{L}/u.test(text) && words[key as keyof typeof en] === text).map(([key]) => key);
    expect(left.sort()).toEqual(same[language].sort());
  });
  it(`${language} has a word for every code`, () => {
    const left = schemes().flatMap((scheme) => known(scheme).filter((code) => told(scheme, code, language) === told(scheme, code, 'en')).map((code) => `${scheme}/${code}`));
    expect(left.sort()).toEqual(sameCodes[language].sort());
  });
}

// WebKitGTK 2.50 lifts or lowers a whole Arabic word whose leftmost glyph is a vowel mark: at its end, or on
// the lam of a closing lam-alef. Such marks say nothing that a reader needs; within a word they stay.
it('no Arabic word ends in a vowel mark', () => {
  const found = [...Object.values(ar), ...schemes().flatMap((scheme) => known(scheme).map((code) => told(scheme, code, 'ar'))), ...categories.map(({ ar: name }) => name)];
  expect(found.filter((text) => text.split(/[^\u0621-\u0652]+/u).some((word) => /[\u064b-\u0652]$|\u0644[\u064b-\u0652]\u0627$/u.test(word)))).toEqual([]);
});
