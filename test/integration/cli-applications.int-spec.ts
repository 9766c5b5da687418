import { randomBytes } from 'node:crypto';

import { SecretBox } from '#libs/common/secret-box.js';
import { readConfig } from '#libs/config/config.js';

import { Installation } from '../support/installation.js';

interface Credentials {
  readonly client_id: string;
  readonly client_secret: string;
}

describe('applications on the command line', () => {
  let at: Installation;

  beforeAll(async () => {
    at = await Installation.create();
    const first = { client_id: 'first', client_secret: 'firstsecret00000000000001', name: 'Development' };
    expect(await at.command(['setup'], JSON.stringify(first))).toMatchObject({ code: 0 });
  });
  afterAll(() => at?.stop());

  const created = async (...args: string[]) =>
    JSON.parse((await at.command(['app', 'create', ...args, '--json'])).output) as Credentials;

  it('are made, listed, and show their secret once', async () => {
    const { client_id: id, client_secret: secret } = await created(
      'Shop',
      '--redirect-uri',
      'https://shop.example/done',
    );
    expect([id, secret].every((text) => /^[0-9a-z]{25}$/.test(text))).toBe(true);
    const { output } = await at.command(['app', 'list', '--json']);
    expect(JSON.parse(output)).toEqual([
      { client_id: 'first', application_name: 'Development', redirect_uris: [] },
      { client_id: id, application_name: 'Shop', redirect_uris: ['https://shop.example/done'] },
    ]);
    expect(output).not.toContain(secret);
    expect((await at.command(['app', 'create', 'For people'])).output).toMatch(
      /^client_id {6}\w{25}\nclient_secret {2}\w{25}\nThe secret is not shown again\.\n$/,
    );
  });

  it('are not made with an address to which nobody can be sent', async () => {
    const before = await at.command(['app', 'list']);
    for (const address of ['javascript:alert(1)', 'shop.example/done', 'https://shop.example/#done']) {
      expect(await at.command(['app', 'create', 'Shop', '--redirect-uri', address])).toEqual({
        code: 1,
        output: '',
        complaint: `--redirect-uri: ${address} is no absolute address without a fragment`,
      });
    }
    expect(await at.command(['app', 'list'])).toEqual(before);
  });

  it('get another secret', async () => {
    const { client_id: id, client_secret: old } = await created('Rotating');
    const { output } = await at.command(['app', 'rotate-secret', id, '--grace-hours', '0', '--json']);
    expect(JSON.parse(output)).toEqual({ client_id: id, client_secret: expect.stringMatching(/^[0-9a-z]{25}$/) });
    expect(output).not.toContain(old);
    expect(await at.command(['app', 'rotate-secret', 'nobody'])).toMatchObject({
      code: 1,
      complaint: 'There is no application nobody',
    });
    // An unset variable of a shell must not end the present secret at once.
    for (const hours of ['x', '', ' ', '-1', '721']) {
      expect(await at.command(['app', 'rotate-secret', id, `--grace-hours=${hours}`])).toMatchObject({
        code: 1,
        complaint: '--grace-hours takes hours from 0 to 720',
      });
    }
  });

  it('one that does not exist gets no account', async () => {
    expect(await at.command(['account', 'add', 'a@b.example', '--app', 'nobody', '--password-stdin'], 'x\n')).toEqual({
      code: 1,
      output: '',
      complaint: 'There is no application nobody',
    });
  });

  it('keys are rotated: all that is sealed opens with the new key alone', async () => {
    const { client_id: id, client_secret: secret } = await created('Sealed');
    const fresh = `fresh:${randomBytes(32).toString('base64')}`;
    const both = { SECRET_KEYS: `${fresh},${at.env['SECRET_KEYS']}` };
    const { output } = await at.command(['keys', 'rotate'], '', both);
    expect(output).toMatch(/^[1-9]\d* secrets were sealed again; 0 were sealed with the first key already\.\n$/);
    expect((await at.command(['keys', 'rotate'], '', both)).output).toMatch(/^0 secrets were sealed again; [1-9]/);

    const [row] = await at.query<{ id: string; sealed_secret: string }>(
      `SELECT id, sealed_secret FROM applications WHERE client_id = '${id}'`,
    );
    const { SECRET_KEYS } = readConfig({ ...at.env, SECRET_KEYS: fresh });
    expect(new SecretBox(SECRET_KEYS).open(row!.sealed_secret, row!.id)).toBe(secret);
  });
});
