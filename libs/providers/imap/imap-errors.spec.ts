import type { ProviderErrorKind } from '#libs/providers/contracts/provider-error.js';

import { toProviderError } from './imap-errors.js';

const kindOf = (raw: object) => toProviderError(Object.assign(new Error('Command failed'), raw), 'signing in').kind;

/** A refused sign-in as imapflow reports it: `authenticationFailed` is set whatever the reason. */
function refusal(answer: string): object {
  const [, code, text] = /^(?:\[([A-Z-]+)\] ?)?(.*)$/.exec(answer) ?? [];
  return {
    authenticationFailed: true,
    responseStatus: 'NO',
    responseText: text,
    ...(code ? { serverResponseCode: code } : {}),
  };
}

describe('a refused sign-in', () => {
  it.each<[ProviderErrorKind, string, readonly string[]]>([
    [
      'credentials',
      'by its code',
      [
        '[AUTHENTICATIONFAILED] Invalid credentials (Failure)',
        '[AUTHENTICATIONFAILED] Authentication failed.',
        '[AUTHORIZATIONFAILED] no such authorization-ID',
        '[EXPIRED] That password is not valid any more',
      ],
    ],
    [
      'credentials',
      'by its wording',
      [
        'LOGIN failed.',
        'AUTHENTICATE failed.',
        'Login failed: authentication failure',
        'Authentication failed.',
        'Invalid credentials(Failure)',
        'Invalid user name or password.',
        'LOGIN Login error or password error',
        'Login fail. Account is abnormal, service is not open, password is incorrect',
        '[ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)',
        '[ALERT] Web login required: https://support.google.com/mail/answer/78754 (Failure)',
        '[ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)',
        '[ALERT] Invalid credentials (Failure)',
      ],
    ],
    [
      'throttled',
      'by its code',
      ['[LIMIT] LOGIN Rate limit hit.', '[INUSE] Mailbox is locked', '[THROTTLED] slow down', '[LIMIT] Login failed'],
    ],
    [
      'throttled',
      'by its wording',
      [
        '[ALERT] Too many simultaneous connections. (Failure)',
        'Too many login failures',
        'Request is throttled. Suggested Backoff Time: 299999 milliseconds',
        'Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)',
        '[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)',
        'Temporary authentication failure',
        'Login failed, please try again later',
        'LOGIN Server error. Please try again later',
        'Login fail. Password is incorrect, login frequency limited, or system is busy.',
      ],
    ],
    [
      'unavailable',
      'by its code',
      ['[UNAVAILABLE] Temporary authentication failure.', '[SERVERBUG] oops', '[CONTACTADMIN] Login failed for now'],
    ],
    [
      'unavailable',
      'because nothing says otherwise',
      ['Internal error', '', 'User is authenticated but not connected.'],
    ],
    ['rejected', 'by its code', ['[PRIVACYREQUIRED] Encryption is required']],
  ])('is %s %s', (kind, _why, answers) => {
    expect(answers.map((answer) => [answer, kindOf(refusal(answer))])).toEqual(answers.map((answer) => [answer, kind]));
  });

  it('never blames the password for what happened below the protocol', () => {
    for (const code of [
      'ECONNREFUSED',
      'ENOTFOUND',
      'ETIMEDOUT',
      'NoConnection',
      'ClosedAfterConnectTLS',
      'ETHROTTLE',
    ]) {
      expect(kindOf({ code, authenticationFailed: true, responseText: '' })).not.toBe('credentials');
    }
  });
});

describe('any other command', () => {
  it.each<[object, ProviderErrorKind]>([
    [{ responseStatus: 'NO', responseText: 'Mailbox does not exist' }, 'not-found'],
    [{ responseStatus: 'NO', serverResponseCode: 'NONEXISTENT', responseText: 'x' }, 'not-found'],
    [{ responseStatus: 'NO', serverResponseCode: 'OVERQUOTA', responseText: 'Quota is full' }, 'rejected'],
    [{ responseStatus: 'NO', responseText: 'LOGIN failed.' }, 'unavailable'],
    [{ responseStatus: 'BAD', responseText: 'Unknown command' }, 'rejected'],
    [{ responseStatus: 'BAD', responseText: 'Request is throttled.' }, 'throttled'],
    [{ message: 'the folder does not exist' }, 'unavailable'],
  ])('%j is %s', (raw, kind) => expect(kindOf(raw)).toBe(kind));
});
