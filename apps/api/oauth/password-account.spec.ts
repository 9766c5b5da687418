import { AuthorizeRequest, readRequest, TokenRequest } from './connect-request.js';
import { needsOauth, passwordAccount } from './password-account.js';

const full = {
  imap_host: 'imap.example.com',
  imap_port: '143',
  imap_username: 'ada',
  imap_password: 'p1',
  smtp_host: 'smtp.example.com',
  smtp_port: '465',
  smtp_username: 'ada2',
  smtp_password: 'p2',
};
const made = (settings: Record<string, string>) => passwordAccount('imap', 'ada@example.com', settings, null);

describe('passwordAccount', () => {
  it('takes what the client says', () => {
    expect(made(full)).toEqual({
      kind: 'imap',
      provider: 'imap',
      settings: {
        imap: { host: 'imap.example.com', port: 143, security: 'starttls', username: 'ada', verifyCertificate: true },
        smtp: { host: 'smtp.example.com', port: 465, security: 'tls', username: 'ada2', verifyCertificate: true },
      },
      secret: { kind: 'password', imapPassword: 'p1', smtpPassword: 'p2' },
    });
  });

  it('fills up what is left out: TLS, its ports, the address, one password', () => {
    const { settings, secret } = made({ imap_host: 'i', smtp_host: 's', imap_password: 'p' });
    expect(settings.imap).toMatchObject({ port: 993, security: 'tls', username: 'ada@example.com' });
    expect(settings.smtp).toMatchObject({ port: 465, security: 'tls', username: 'ada@example.com' });
    expect(secret.smtpPassword).toBe('p');
  });

  it.each([
    [{ imap_port: '143', ssl_required: 'false' }, 'none'],
    [{ imap_port: '143', ssl_required: 'True' }, 'starttls'],
    [{ imap_port: '143', imap_security: 'TLS' }, 'tls'],
    [{ imap_port: '993', ssl_required: 'false' }, 'tls'],
  ])('reads %j as %s', (over, security) => {
    expect(made({ ...full, ...over }).settings.imap.security).toBe(security);
  });

  it('verifies certificates unless told otherwise', () => {
    const { imap, smtp } = made({ ...full, verify_certificate: 'False' }).settings;
    expect([imap.verifyCertificate, smtp?.verifyCertificate]).toEqual([false, false]);
  });

  it('is fine without SMTP', () => {
    expect(made({ imap_host: 'i', imap_password: 'p' }).settings.smtp).toBeNull();
  });
});

describe('needsOauth', () => {
  it.each([
    ['gmail', { google_refresh_token: 'x' }, true],
    ['gmail', { password: 'x' }, false],
    ['office365', {}, true],
    ['exchange', { password: 'x' }, true],
    ['outlook', { imap_host: 'x' }, false],
    ['imap', {}, false],
  ])('%s with %j: %s', (provider, settings, expected) => {
    expect(needsOauth(provider, settings)).toBe(expected);
  });
});

describe('readRequest', () => {
  it('merges query and body, JSON and form', () => {
    const body = { settings: '{"imap_port":993,"ssl_required":true,"imap_host":null}', email: 'a@b.example' };
    expect(
      readRequest(AuthorizeRequest, { client_id: 'c', provider: 'x' }, body, ['client_id', 'email_address']),
    ).toMatchObject({
      client_id: 'c',
      email_address: 'a@b.example',
      settings: { imap_port: '993', ssl_required: 'true' },
    });
    const form = { 'settings[imap_host]': 'h', client_id: 'c' };
    expect(readRequest(AuthorizeRequest, {}, form, []).settings).toEqual({ imap_host: 'h' });
  });

  it('names every missing field, empty ones too', () => {
    expect(() => readRequest(TokenRequest, { code: '' }, null, ['client_id', 'code'])).toThrow(
      'Missing fields: client_id, code',
    );
  });

  it.each([{ client_id: ['a'] }, { client_id: {} }, { client_id: 'a\0' }, { settings: [] }, { settings: 'x' }])(
    'refuses %j',
    (body) => {
      expect(() => readRequest(AuthorizeRequest, {}, body, [])).toThrow(/Invalid value for/);
    },
  );

  it('is not poisoned by odd names', () => {
    const body: unknown = JSON.parse('{"__proto__":{"client_id":"x"},"settings":{"__proto__":"y"}}');
    expect(() => readRequest(AuthorizeRequest, {}, body, ['client_id'])).toThrow('Missing fields');
  });
});
