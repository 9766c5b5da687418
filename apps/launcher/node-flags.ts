/**
 * Options of Node for each kind of process. The worker's threads have a garbage collector each, whose helper threads
 * would only fight the others for the same cores: without them a first sync takes a quarter less CPU time
 * (docs/benchmarks.md).
 */
const flags: Readonly<Record<string, readonly string[]>> = { worker: ['--single-threaded-gc'] };

/** @param app `api`, `worker` */
export function nodeFlags(app: string): readonly string[] {
  return flags[app] ?? [];
}
