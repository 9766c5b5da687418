import { SendFailure } from '#libs/providers/contracts/mail-sender.js';

import { meaning, sendAnswer } from './send-answer.js';

describe('what replies of SMTP servers mean', () => {
  // As they come over the wire, without the code in front.
  it.each([
    [421, '4.4.5 Server busy, try again later.', 503],
    [421, '4.7.0 IP not in whitelist for RCPT domain, closing connection.', 429],
    [421, '4.7.2 Service not available', 429],
    [450, '4.2.1 The user you are trying to contact is receiving mail too quickly.', 429],
    [450, '4.3.0 Mail server temporarily rejected message', 429],
    [450, '4.7.1 Greylisted', 429],
    [451, '4.3.5 Server configuration error', 429],
    [451, '4.7.1 Try later', 429],
    [452, '4.5.3 Your message has too many recipients.', 402],
    [454, '4.7.0 Cannot authenticate due to temporary system problem.', 429],
    [522, '5.7.1 Recipient address rejected', 402],
    [530, '5.7.0 Authentication required', 402],
    [535, '5.7.1 Please log in with your web browser and then try again.', 429],
    [550, '5.1.1 The email account that you tried to reach does not exist.', 402],
    [550, '5.2.1 The email account that you tried to reach is disabled.', 402],
    [550, '5.3.2 STOREDRV.ClientSubmit', 429],
    [550, '5.4.5 Daily sending quota exceeded.', 429],
    [550, '5.4.6 Hop count exceeded', 429],
    [550, '5.7.0 Mail relay denied.', 402],
    [550, '5.7.1 Daily SMTP relay limit exceeded', 429],
    [550, 'Requested action not taken: classified as SPAM', 402],
    [550, 'You have exceeded recipient rate limit', 429],
    [550, '24-hour sending limit reached', 429],
    [552, '5.2.3 Your message exceeded size limits.', 402],
    [552, '5.3.4 Message too big', 402],
    [552, '5.7.0 This message was blocked because its content presents a potential security issue.', 402],
    [552, '5.7.1 Blocked', 402],
    [553, '5.1.2 We were not able to find the recipient domain.', 402],
    [553, '5.7.1 Sender address rejected: not owned by user', 402],
    [554, '5.6.0 Mail message is malformed. Not accepted.', 402],
    [554, '5.7.1 Spam message rejected', 402],
  ])('%d %s', (code, text, status) => expect(meaning([code, text])?.[0]).toBe(status));

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

  it('admits that it does not know', () => {
    expect(sendAnswer(new SendFailure('data', null, { unknown: true }))).toMatchObject({
      status: 504,
      message: expect.stringContaining('It may have been sent'),
    });
  });
});
