/**
 * Options of Node for each kind of process; what they gain on a first sync stands in docs/benchmarks.md.
 *
 * The worker's threads have a garbage collector each, whose helper threads would only fight the others for the same
 * cores. And each thread compiles for itself: with V8's usual appetite for inlining that takes a third of a first sync.
 * Threads for old mail bring nurseries of their own; what is left to the main thread needs no room for three times 16 MB.
 */
const flags: Readonly<Record<string, readonly string[]>> = {
  worker: ['--single-threaded-gc', '--max-inlined-bytecode-size-cumulative=150', '--max-semi-space-size=4'],
};

/** @param app `api`, `worker` */
export function nodeFlags(app: string): readonly string[] {
  return flags[app] ?? [];
}
