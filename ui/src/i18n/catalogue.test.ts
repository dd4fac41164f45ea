import { expect, it } from 'vitest';
import { ar } from './ar';
import { en } from './en';
import { fr } from './fr';

it('says everything in every language, with the same blanks', () => {
  for (const words of [fr, ar]) {
    for (const [key, text] of Object.entries(en)) {
      const blanks = (s: string) => [...s.matchAll(/\{\w+\}/g)].map(String).sort();
      const said = words[key as keyof typeof en];
      expect(said, key).toBeTruthy();
      expect(blanks(said), key).toEqual(blanks(text));
    }
  }
});
