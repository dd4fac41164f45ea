/**
 * Does, or reads and shows, one at a time, always the same. Who asks while a reading is under way gets the one after
 * it, together with all others who ask meanwhile: a surge neither queues readings nor starves the screen, and an
 * older answer never stands over a newer one.
 */
export function inTurn<T>(read: () => Promise<T | undefined>, show: (found: T) => void = () => {}): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  async function run() {
    const found = await read();
    if (found !== undefined) show(found);
  }
  function start(): Promise<void> {
    next = null;
    const mine = run().finally(() => { if (running === mine) running = null; });
    running = mine;
    return mine;
  }
  return () => next ?? (running ? (next = running.then(start, start)) : start());
}
