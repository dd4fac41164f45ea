/**
 * Reads and shows, of several readings under way only the last one; whoever waits for one that was overtaken
 * waits for that. `own` says that something was done here: what follows from it is owed until something is shown.
 */
export function latest<T>(read: () => Promise<T | undefined>, show: (found: T, own: boolean) => Promise<void> | void): (own: boolean) => Promise<void> {
  let turn = 0;
  let owed = false;
  let reading = Promise.resolve();
  async function run(now: number): Promise<void> {
    const found = await read();
    if (now !== turn) return reading;
    const own = owed;
    owed = false;
    if (found !== undefined) await show(found, own);
  }
  return (own) => {
    owed ||= own;
    return (reading = run((turn += 1)));
  };
}
