import type { Socket } from 'node:net';

import { Engine } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { type ScriptedImap, startScriptedImap } from '../support/scripted-imap.js';

describe('a session on a server that answers LIST once a connection', () => {
  let engine: Engine;
  let server: ScriptedImap;

  beforeAll(async () => {
    const listed = new WeakSet<Socket>();
    server = await startScriptedImap({
      script: [
        [
          /^LIST "" "?\*/,
          (tag, _line, socket) => {
            const answer = listed.has(socket) ? 'NO [SERVERBUG] Internal server error' : 'OK done';
            if (!listed.has(socket)) socket.write('* LIST () "/" INBOX\r\n');
            listed.add(socket);
            socket.write(`${tag} ${answer}\r\n`);
          },
        ],
      ],
    });
    engine = await Engine.start();
  });
  afterAll(async () => {
    await engine?.stop();
    await server?.stop();
  });

  it('goes on, round after round', async () => {
    await engine.watch(await engine.addAccount(server.port));
    const rounds = () => server.received.filter((line) => /^LIST "" "?\*/.test(line)).length;
    await eventually('some rounds', async () => rounds() >= 6);
    expect(await engine.rows('SELECT subject FROM messages')).toHaveLength(1);
    expect(await engine.rows('SELECT sync_state, sync_failures FROM accounts')).toEqual([
      { sync_state: 'running', sync_failures: 0 },
    ]);
    expect(await engine.rows(`SELECT message FROM account_events WHERE kind = 'session.failed'`)).toEqual([]);
  });
});
