// Keys in the order in which they were pressed. What a key began (a row that is read, an entry that is
// signed, a list that is read anew) ends before the next key means anything: pressed fast, on a slow
// machine, no key acts on the incident that was there before.

/** A key, alone or with Ctrl. */
export interface Press { key: string; ctrlKey: boolean }
/** Keys that wait at most. With more, all are dropped: of a text, no part stands for the whole. */
const MOST = 256;
/** Milliseconds without a key after which what is typed next is something new. */
const PAUSE = 700;
/** What a key has begun and not ended. */
let held = 0;
let waiting: Press[] = [];
let replaying = false;
let giving = false;
/** When the last key came that waited, or would have. */
let last = 0;
/** What is typed goes nowhere until there is a pause. */
let deaf = false;

/** Gives a key to what has the focus now, and does with it there what the browser would have done. */
function press({ key, ctrlKey }: Press) {
  const at = document.activeElement ?? document.body;
  const taken = !at.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, bubbles: true, cancelable: true }));
  if (taken || ctrlKey) return;
  if (at instanceof HTMLButtonElement) { if (key === 'Enter' || key === ' ') at.click(); return; }
  if (!(at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement) || at.readOnly) return;
  if (key === 'Backspace' && at.selectionStart !== null) {
    const from = at.selectionStart === at.selectionEnd ? Math.max(0, at.selectionStart - 1) : at.selectionStart;
    at.setRangeText('', from, at.selectionEnd ?? from, 'end');
    at.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'deleteContentBackward' }));
    return;
  }
  const text = key.length === 1 ? key : key === 'Enter' && at instanceof HTMLTextAreaElement ? '\n' : '';
  if (key === 'Enter' && text === '') at.form?.requestSubmit();
  // A field without a place for a text, such as a date, takes none.
  if (text === '' || at.selectionStart === null || (at.maxLength >= 0 && at.value.length >= at.maxLength)) return;
  at.setRangeText(text, at.selectionStart, at.selectionEnd ?? at.selectionStart, 'end');
  at.dispatchEvent(new InputEvent('input', { bubbles: true, data: text, inputType: 'insertText' }));
}
let give = press;
/** When what a key changed is on the screen. */
let painted: () => Promise<unknown> = () => Promise.resolve();

/** `shown` ends when a change is on the screen; `given` takes keys that waited, in a test. */
export function begin(shown: typeof painted, given = press) {
  [painted, give] = [shown, given];
  forget();
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
  // One gives at a time: what a key opened is there before the next one means anything.
  if (giving) return;
  giving = true;
  try {
    await painted();
    while (held === 0 && waiting.length > 0) {
      const [first, ...rest] = waiting;
      if (!first) return;
      waiting = rest;
      replaying = true;
      try { give(first); } finally { replaying = false; }
      // A question that this key opened takes the keys that follow.
      await painted();
    }
  } catch (error) {
    drop();
    throw error;
  } finally {
    giving = false;
  }
}

/**
 * Whether a key has to wait, and then it does. In a field, it waits only behind others that wait. One that
 * repeats by itself is let go: it would go on after the finger. `at`: when it came, in milliseconds.
 */
export function waits({ key, ctrlKey, repeat }: Press & { repeat: boolean }, field: boolean, at: number): boolean {
  if (replaying) return false;
  const typed = at - last;
  last = at;
  deaf &&= !field && (held > 0 || typed < PAUSE);
  if (deaf) return true;
  if (waiting.length === 0 && (field || held === 0)) return false;
  if (repeat) return true;
  if (waiting.length >= MOST) drop();
  else waiting = [...waiting, { key, ctrlKey }];
  return true;
}

/** Whether keys wait: one that cannot wait with them is not for the screen as it stands. */
export const some = (): boolean => waiting.length > 0;

/** Forgets the keys that wait: whoever points, or goes elsewhere, means something else by now. */
export function forget() { [waiting, deaf] = [[], false]; }

/**
 * Drops the keys that wait, and the rest of what is being typed: the key before them was refused, or they
 * are more than can be kept.
 */
export function drop() { [waiting, deaf] = [[], deaf || waiting.length > 0]; }
