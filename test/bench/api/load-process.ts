import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import type { Load, LoadResult } from '../api-load.js';

/** The load generator (test/bench/api-load.ts) in its own process. */
export class LoadProcess {
  private readonly child: ChildProcess = fork('dist/test/bench/api-load.js', { serialization: 'advanced' });
  private readonly ended = once(this.child, 'exit').then(() => null);

  async run(load: Load): Promise<LoadResult> {
    const stop = new AbortController();
    const answered = once(this.child, 'message', { signal: stop.signal }) as Promise<[LoadResult]>;
    this.child.send(load);
    const answer = await Promise.race([answered, this.ended]);
    if (answer !== null) return answer[0];
    answered.catch(() => undefined);
    stop.abort();
    throw new Error('The load generator ended');
  }

  stop(): void {
    this.child.kill();
  }
}
