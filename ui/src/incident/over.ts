// A form that is filled anew (a draft that arrives, a report that was signed) while somebody types in it.

type Form = Record<string, string>;

/** What means something only together: a station with its place, a kind with its code. */
const together = [['station', 'code', 'place', 'lat', 'lon'], ['kind', 'category', 'domains']];

/** The form `anew`, with what was typed since `then` laid over it: nobody loses a word, and no place gets another's code. */
export function over(anew: Form, now: Form, then: Form): Form {
  const typed = (name: string) => (now[name] ?? '') !== (then[name] ?? '');
  const kept = Object.keys(now).filter((name) => (together.find((names) => names.includes(name)) ?? [name]).some(typed));
  return { ...anew, ...Object.fromEntries(kept.map((name) => [name, now[name] ?? ''])) };
}
