// A steady tick that also beats in a hidden page, so that a node does not take a quiet terminal for a dead one.

/**
 * Calls back at a steady period until stopped.
 *
 * @param {number} periodMs
 * @param {() => void} onTick
 * @returns {() => void} stops it
 */
export function startTicker(periodMs, onTick) {
  try {
    const worker = new Worker(new URL('./ticker-worker.js', import.meta.url));
    worker.onmessage = onTick;
    worker.postMessage(periodMs);
    return () => worker.terminate();
  } catch {
    // A page of another origin may not start our worker: it gets the timer that slows down when hidden.
    const timer = setInterval(onTick, periodMs);
    return () => clearInterval(timer);
  }
}
