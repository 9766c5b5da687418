import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { type ScriptedImap, startScriptedImap } from '../support/scripted-imap.js';

const opened = (exists: number) =>
  `* FLAGS (\\Seen)\r\n* ${exists} EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 14] ok\r\nTAG OK [READ-ONLY] done\r\n`;

const read = `SELECT 1 FROM folder_syncs sync JOIN categories folder ON folder.id = folder_id WHERE path = $1 AND synced = 3`;

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
      return (await engine.rows(read, ['Zed']))[0];
    });
    expect(await engine.rows(`SELECT kind, message FROM account_events WHERE level <> 'info'`)).toEqual([
      { kind: 'folder.failing', message: `The mail server's list of Liar is not complete.` },
    ]);
    await stop();
  });
});

describe('a session on a server that cannot open one folder for a while', () => {
  let engine: Engine;
  let server: ScriptedImap;
  let broken = true;

  beforeAll(async () => {
    engine = await Engine.start();
    server = await startScriptedImap({
      script: [
        [/^LIST "" "?[*%]/, '* LIST () "/" INBOX\r\n* LIST () "/" Broken\r\n* LIST () "/" Zed\r\nTAG OK done\r\n'],
        [/^LIST "" "?Broken/, '* LIST () "/" Broken\r\nTAG OK done\r\n'],
        [
          /^(SELECT|EXAMINE) "?Broken/,
          (tag, _line, socket) =>
            void socket.write(
              broken ? `${tag} NO [SERVERBUG] Internal error occurred.\r\n` : opened(3).replace('TAG', tag),
            ),
        ],
      ],
    });
  });
  afterAll(async () => {
    await engine.stop();
    await server.stop();
  });

  it('reads the others meanwhile, and this one later', async () => {
    const accountId = await engine.addAccount(server.port);
    const { stop } = await engine.watch(accountId);
    const isRead = (path: string) =>
      eventually(`the mail of ${path}`, async () => {
        await engine.backfill(accountId);
        return (await engine.rows(read, [path]))[0];
      });
    await isRead('Zed');
    expect(await engine.rows(`SELECT kind, message FROM account_events WHERE level <> 'info'`)).toEqual([
      { kind: 'folder.failing', message: 'The mail server failed while opening Broken.' },
    ]);
    broken = false;
    await engine.rows('UPDATE folder_syncs SET retry_at = now() WHERE retry_at IS NOT NULL');
    await isRead('Broken');
    await stop();
  });
});
