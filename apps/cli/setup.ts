import type { DataSource } from 'typeorm';
import { z } from 'zod';

import type { Context } from './context.js';
import { CommandError, everything, type Terminal } from './terminal.js';

/** Any number; the same for everybody who migrates this database. */
const MIGRATION_LOCK = 7_267_436_119;

const Application = z.object({
  client_id: z.string().regex(/^[0-9a-z]{1,44}$/),
  client_secret: z.string().regex(/^[0-9a-z]{16,44}$/),
  name: z.string().default('Application'),
});

/** Brings the schema up to date. Processes that try at the same time take turns, and all but the first find it done. */
export async function migrate(dataSource: DataSource): Promise<void> {
  const holder = dataSource.createQueryRunner();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await dataSource.runMigrations();
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await holder.release();
  }
}

/** `setup`: migrates, then creates or updates the application that standard input describes as JSON. */
export async function setUp(context: Context, terminal: Terminal): Promise<void> {
  const application = parse(await everything(terminal));
  await migrate(context.dataSource);
  await context.applications.upsert(application.client_id, application.client_secret, application.name);
}

function parse(text: string): z.infer<typeof Application> {
  try {
    return Application.parse(JSON.parse(text));
  } catch {
    // Not the cause: its text could show the secret.
    throw new CommandError(
      'setup expects {"client_id", "client_secret", "name"} as JSON on standard input; ids and secrets are lower-case letters and digits',
    );
  }
}
