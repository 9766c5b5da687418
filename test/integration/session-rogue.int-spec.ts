import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { type ScriptedImap, startScriptedImap } from '../support/scripted-imap.js';

const opened = (exists: number) =>
  `* FLAGS (\\Seen)\r\n* ${exists} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\nTAG OK [READ-ONLY] done\r\n`;

describe('a session on a server that lies about one folder', () => {
  let engine: Engine;
  let server: ScriptedImap;

  beforeAll(async () => {
    engine = await Engine.start();
    server = await startScriptedImap({
      script: [
        [/^LIST "" "?[*%]/, '* LIST () "/" INBOX\r\n* LIST () "/" Liar\r\n* LIST () "/" Zed\r\nTAG OK done\r\n'],
        // It lists three messages in each.
        [/^(SELECT|EXAMINE) "?Liar/, opened(4_000_000_000)],
      ],
    });
  });
  afterAll(async () => {
    await engine.stop();
    await server.stop();
  });

  it('reads the others, and says which one it cannot read', async () => {
    const accountId = await engine.addAccount(server.port);
    const { stop } = await engine.watch(accountId);
    await eventually('the mail of the last folder', async () => {
      await engine.backfill(accountId);
      const [row] = await engine.rows(
        `SELECT 1 FROM folder_syncs sync JOIN categories folder ON folder.id = folder_id WHERE path = 'Zed' AND synced = 3`,
      );
      return row;
    });
    expect(await engine.rows(`SELECT kind, message FROM account_events WHERE level <> 'info'`)).toEqual([
      { kind: 'folder.failing', message: `The mail server's list of Liar is not complete.` },
    ]);
    await stop();
  });
});
