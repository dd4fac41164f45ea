import atlas from 'world-atlas/countries-110m.json';
import { expect, it } from 'vitest';
import { countryName } from './outlines';

it('names countries in the language of the screen', () => {
  expect(countryName('250', 'France', 'fr')).toBe('France');
  expect(countryName('276', 'Germany', 'fr')).toBe('Allemagne');
  expect(countryName('818', 'Egypt', 'ar')).toBe('مصر');
  expect(countryName('', 'Kosovo', 'fr')).toBe('Kosovo');
});

it('finds a name for every outline that has a number', () => {
  const shapes = atlas.objects.countries.geometries as { id?: string; properties: { name: string } }[];
  const same = shapes.filter((shape) => shape.id && countryName(shape.id, '', 'ar') === '');
  expect(same.map((shape) => shape.properties.name)).toEqual([]);
});
