import { Pool } from 'undici';

/** One stretch of load: so many clients, each asking again as soon as it has its answer. */
export interface Load {
  readonly origin: string;
  readonly token: string;
  /** Asked in turn. */
  readonly paths: readonly string[];
  readonly clients: number;
  readonly seconds: number;
}

export interface LoadResult {
  /** Milliseconds, one for each request. */
  readonly latencies: readonly number[];
  readonly seconds: number;
}

/** Runs in a process of its own, so that neither server pays for the clients. Takes loads by message, answers results. */
async function run(load: Load): Promise<LoadResult> {
  const pool = new Pool(load.origin, { connections: load.clients, pipelining: 1 });
  const headers = { authorization: `Bearer ${load.token}` };
  const latencies: number[] = [];
  let asked = 0;
  const started = performance.now();
  const end = started + load.seconds * 1000;
  const client = async () => {
    while (performance.now() < end) {
      const path = load.paths[asked++ % load.paths.length]!;
      const sent = performance.now();
      const { statusCode, body } = await pool.request({ path, method: 'GET', headers });
      await body.arrayBuffer();
      latencies.push(performance.now() - sent);
      if (statusCode !== 200) throw new Error(`GET ${load.origin}${path} answered ${statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: load.clients }, client));
  const seconds = (performance.now() - started) / 1000;
  await pool.close();
  return { latencies, seconds };
}

process.on('message', (load: Load) => {
  run(load).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
