import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import type { Load, LoadResult } from '../api-load.js';

/** The load generator (test/bench/api-load.ts) in its own process. */
export class LoadProcess {
  private readonly child: ChildProcess = fork('dist/test/bench/api-load.js', { serialization: 'advanced' });

  async run(load: Load): Promise<LoadResult> {
    this.child.send(load);
    const exited = once(this.child, 'exit').then(() => null);
    const answer = (await Promise.race([once(this.child, 'message'), exited])) as [LoadResult] | null;
    if (answer === null) throw new Error('The load generator ended');
    return answer[0];
  }

  stop(): void {
    this.child.kill();
  }
}
