import type { ApiClient } from './api-client.js';
import { type ApiEnv, startApiEnv } from './api-env.js';
import { ChangeMaker } from './change-maker.js';
import { DeltaStream } from './delta-stream.js';
import type { Seed, SeededAccount } from './seed.js';

/** What tests of deltas work on: an API, an account for each test, and the log of what happened to it. */
export class DeltaEnv {
  env!: ApiEnv;
  changes!: ChangeMaker;
  account!: SeededAccount;
  /** With the account's token. */
  api!: ApiClient;
  private readonly open: DeltaStream[] = [];

  /** For the suite whose body it is called in. */
  static use(): DeltaEnv {
    const on = new DeltaEnv();
    beforeAll(async () => {
      on.env = await startApiEnv();
      on.changes = await ChangeMaker.open(on.env.config.DATABASE_URL);
    });
    beforeEach(async () => on.actFor(await on.seed.account()));
    afterEach(() => {
      for (const stream of on.open.splice(0)) stream.close();
    });
    afterAll(async () => {
      await on.changes.close();
      await on.env.stop();
    });
    return on;
  }

  get seed(): Seed {
    return this.env.seed;
  }

  actFor(account: SeededAccount): void {
    this.account = account;
    this.api = this.env.client.as(account.token);
  }

  /** Closed after the test. @param token null: none is sent */
  readonly stream = async (
    path: string,
    headers: Readonly<Record<string, string>> = {},
    token: string | null = this.account.token,
  ): Promise<DeltaStream> => {
    const opened = await DeltaStream.open(this.env.api.url, path, token, headers);
    this.open.push(opened);
    return opened;
  };

  /** The least that can happen: the end of a thread that nobody has. */
  readonly gone = (id: string): Promise<void> => this.changes.gone(this.account, id);

  readonly latest = (): Promise<string> => this.api.latestCursor();
}
