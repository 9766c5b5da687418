import { SendFailure } from '#libs/providers/contracts/mail-sender.js';

import { sendAnswer } from './send-answer.js';

describe('what replies of SMTP servers mean', () => {
  it('takes what it does not know for trouble that may pass', () => {
    expect(sendAnswer(new SendFailure('data', [599, 'whatever'])).status).toBe(503);
    expect(sendAnswer(new SendFailure('connect', null)).status).toBe(503);
  });

  it('says word for word what the server said', () => {
    const answer = sendAnswer(new SendFailure('data', [554, '5.6.0 Malformed']));
    expect(answer).toMatchObject({
      status: 402,
      type: 'api_error',
      details: { server_error: '554 : 5.6.0 Malformed' },
    });
  });

  it('tells a refused password from a server that cannot check it now', () => {
    expect(sendAnswer(new SendFailure('sign-in', [535, '5.7.8 Bad credentials'])).status).toBe(403);
    expect(sendAnswer(new SendFailure('sign-in', [454, 'later'])).status).toBe(429);
  });

  it('tells a server that cannot be trusted from one that cannot be reached', () => {
    const secure = (message: string) => sendAnswer(new SendFailure('secure', null, { cause: new Error(message) }));
    expect(secure('Error initiating TLS - self-signed certificate')).toMatchObject({
      status: 503,
      message: 'SMTP server SSL certificate verify failed',
    });
    expect(secure('wrong version number')).toMatchObject({ status: 503, message: 'TLS with the server failed.' });
  });

  it('admits that it does not know', () => {
    expect(sendAnswer(new SendFailure('data', null, { unknown: true }))).toMatchObject({
      status: 504,
      message: expect.stringContaining('It may have been sent'),
    });
  });
});
