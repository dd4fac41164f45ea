/**
 * What a table itself holds under a key. Codes come from elsewhere, and "constructor" can be one:
 * without this an object would answer with what every object has.
 */
export const own = <T>(table: Record<string, T>, key: string): T | undefined => (Object.hasOwn(table, key) ? table[key] : undefined);
