// Writes what schemas/desk/all.json says as TypeScript; src/desk/types.ts is checked against it.
import { readFileSync, writeFileSync } from 'node:fs';
import { compile } from 'json-schema-to-typescript';

const schema = JSON.parse(readFileSync(new URL('../../schemas/desk/all.json', import.meta.url), 'utf8'));
const text = await compile(schema, 'Everything', {
  additionalProperties: false,
  bannerComment: '// Generated from schemas/desk/all.json; `make schemas` writes it anew.',
});
writeFileSync(new URL('../src/desk/schema.ts', import.meta.url), text);
