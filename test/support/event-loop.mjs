// Plain JavaScript, because it is also loaded into processes under test.
import { readFileSync } from 'node:fs';

const TICK_MS = 5;

/**
 * Milliseconds of CPU this thread has used so far. On a busy machine an event loop also waits for its turn, which is
 * not its fault; elsewhere than on Linux the time passed is the best there is.
 */
function cpuMs() {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/** Watches this thread's event loop: `heldUpMs` is the longest time for which nothing else could run in it. */
export function watchEventLoop() {
  let last = { at: performance.now(), cpu: cpuMs() };
  let most = 0;
  const look = () => {
    const now = { at: performance.now(), cpu: cpuMs() };
    most = Math.max(most, Math.min(now.at - last.at, now.cpu - last.cpu) - TICK_MS);
    last = now;
    return most;
  };
  const timer = setInterval(look, TICK_MS).unref();
  return { heldUpMs: look, reset: () => (look(), (most = 0)), stop: () => clearInterval(timer) };
}

/** How long `work` held up this thread's event loop at most, in milliseconds. */
export async function heldUp(work) {
  const loop = watchEventLoop();
  try {
    await work();
    return loop.heldUpMs();
  } finally {
    loop.stop();
  }
}
