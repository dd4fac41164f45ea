// Keys in the order in which they were pressed. What a key began (a row that is read, an entry that is
// signed, a list that is read anew) ends before the next key means anything: pressed fast, on a slow
// machine, no key acts on the incident that was there before.

/** What a key has begun and not ended. */
let held = 0;
let waiting: string[] = [];
let replaying = false;
/** Gives a key that waited to whatever has the focus now; a test listens instead. */
let give = (key: string): void => {
  (document.activeElement ?? document.body).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
};
/** When what a key changed is on the screen. */
let painted: () => Promise<unknown> = () => Promise.resolve();

export function begin(given: typeof give | null, shown: typeof painted) {
  if (given) give = given;
  painted = shown;
  [held, waiting] = [0, []];
}

/** Keys wait until this has ended. */
export async function hold<T>(work: Promise<T>): Promise<T> {
  held += 1;
  try {
    return await work;
  } finally {
    held -= 1;
    void next();
  }
}

async function next() {
  await painted();
  while (held === 0 && !replaying && waiting.length > 0) {
    const [key, ...rest] = waiting;
    waiting = rest;
    replaying = true;
    try { give(key ?? ''); } finally { replaying = false; }
    // A question that this key opened takes the keys that follow.
    await painted();
  }
}

/** Whether a key has to wait, and then it does. One that repeats by itself is let go: it would go on after the finger. */
export function waits(key: string, repeats: boolean): boolean {
  if (replaying || (held === 0 && waiting.length === 0)) return false;
  if (!repeats) waiting = [...waiting, key];
  return true;
}

/** Forgets the keys that wait. */
export function forget() { waiting = []; }
