import { expect, it } from 'vitest';
import schema from '../../../schemas/desk/all.json';
import typescript from './types.ts?raw';

interface Shape { properties?: Record<string, unknown>; required?: string[] }

it('knows what crosses to the window, name by name', () => {
  const shapes = schema.$defs as Record<string, Shape>;
  const types = [...typescript.matchAll(/export interface (\w+) \{(.*?)\}$/gms)];
  expect(types.length).toBeGreaterThan(25);
  for (const [, name = '', body = ''] of types) {
    const fields = [...body.matchAll(/(\w+)\??: /g)].map(([, field]) => field).sort();
    expect(fields, name).toEqual(Object.keys(shapes[name]?.properties ?? {}).sort());
    const always = [...body.matchAll(/(\w+): /g)].map(([, field = '']) => field);
    for (const field of shapes[name]?.required ?? []) expect(always, `${name}.${field} is always there`).toContain(field);
  }
});
