import { OwnPostgres, OwnRedis } from '../support/own-servers.js';
import { Product } from '../support/product.js';
import { Scenario, type ScenarioResult } from '../support/convergence/scenario.js';

const budget = {
  start: Number(process.env['SOAK_START'] ?? Date.now() % 1_000_000),
  /** Infinity: as many as there is time for. */
  seeds: Number(process.env['SOAK_SEEDS'] ?? Infinity),
  minutes: Number(process.env['SOAK_MINUTES'] ?? (process.env['SOAK_SEEDS'] ? Infinity : 1.5)),
  lanes: Number(process.env['SOAK_LANES'] ?? 8),
};

jest.setTimeout(2 ** 31 - 1);

const say = (line: string) => process.stderr.write(`${line}\n`);

describe('the store and the mailbox', () => {
  const postgres = new OwnPostgres();
  const redis = new OwnRedis();
  let product: Product;

  beforeAll(async () => {
    const env = { DATABASE_URL: await postgres.start(), REDIS_URL: await redis.start() };
    const settings = { ...env, SYNC_BACKFILL_THREADS: '1' };
    product = await Product.start({ env: settings, moreWorkers: ['worker-2'], delivery: true });
  });
  afterAll(async () => {
    await product?.stop();
    await redis.stop();
    await postgres.stop();
    redis.remove();
    postgres.remove();
  });

  it('are equal once it is quiet, whatever happened before', async () => {
    say(`convergence: from seed ${budget.start}`);
    const begun = Date.now();
    const deadline = begun + budget.minutes * 60_000;
    const failed: ScenarioResult[] = [];
    let [next, done] = [budget.start, 0];
    const { installation, dovecot } = product;
    const workers = ['worker', 'worker-2'] as const;
    const mailOnly = process.env['SOAK_MAIL_ONLY'] !== '0';
    const stage = { product, installation, workers, dovecot, postgres, redis, mailOnly };
    const lane = async () => {
      while (next < budget.start + budget.seeds && Date.now() < deadline && installation.crashes.length === 0) {
        const seed = next++;
        const result = await Scenario.run(stage, seed);
        done += 1;
        say(`seed ${seed}: ${result.differences.length} differences, ${result.ms} ms`);
        if (result.differences.length > 0 || process.env['SOAK_DIARY']) say(result.diary.join('\n'));
        if (result.differences.length === 0) continue;
        failed.push(result);
        say(result.differences.join('\n'));
        say(`replay: npm run soak -- --seeds 1 --start ${seed}${mailOnly ? ' --mail-only' : ''}`);
      }
    };
    await Promise.all(Array.from({ length: budget.lanes }, lane));
    const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
    say(`convergence: ${done} scenarios in ${minutes} minutes, ${failed.length} with differences`);
    expect(installation.crashes).toEqual([]);
    // Neither the provider's fault nor that of a database that was away.
    expect(installation.log.split('\n').filter((line) => line.includes('"msg":"session failed"'))).toEqual([]);
    expect(done).toBeGreaterThan(0);
    expect(failed.map(({ seed, differences }) => ({ seed, differences }))).toEqual([]);
  });
});
