import { readOutboxChange, readOutboxSchedule, readSchedule } from './schedule.js';

const NOW = 1_790_000_000_500;
const SECONDS = 1_790_000_000;
const at = (seconds: number) => new Date(seconds * 1000);

describe('when something is to be sent', () => {
  it.each([undefined, null, ''])('is at once when it says %j', (value) => {
    expect(readSchedule(value, undefined, NOW)).toBeNull();
    expect(readOutboxSchedule(value, undefined, NOW)).toEqual({
      sendAt: new Date(NOW),
      retryUntil: new Date(NOW + 86_400_000),
    });
  });

  it.each([SECONDS + 60, String(SECONDS + 60)])('is that time when it says %j, and up to a day later', (value) => {
    expect(readSchedule(value, undefined, NOW)).toEqual({
      sendAt: at(SECONDS + 60),
      retryUntil: at(SECONDS + 60 + 86_400),
    });
  });

  it('can be told how long to try', () => {
    const { retryUntil } = readSchedule(SECONDS + 60, SECONDS + 90, NOW)!;
    expect(retryUntil).toEqual(at(SECONDS + 90));
    expect(readOutboxSchedule(null, SECONDS, NOW).retryUntil).toEqual(at(SECONDS));
    expect(() => readSchedule(SECONDS + 60, SECONDS + 59, NOW)).toThrow('retry_limit_datetime must not be before');
  });

  it.each([
    [SECONDS, 'send_at must be in the future'],
    [0, 'send_at must be in the future'],
    [SECONDS + 366 * 86_400, 'send_at must be at most 365 days from now'],
    // Milliseconds.
    [NOW, 'send_at must be a whole number of unix seconds'],
    [-5, 'send_at must be a whole number of unix seconds'],
    [SECONDS + 0.5, 'send_at must be a whole number of unix seconds'],
    ['tomorrow', 'send_at must be a whole number of unix seconds'],
    [true, 'send_at must be a whole number of unix seconds'],
    [{}, 'send_at must be a whole number of unix seconds'],
  ])('is refused when it says %j', (value, message) => {
    expect(() => readSchedule(value, undefined, NOW)).toThrow(message);
  });

  it('is all that can be changed later', () => {
    expect(readOutboxChange({ send_at: SECONDS + 60, object: 'message' }, NOW).sendAt).toEqual(at(SECONDS + 60));
    expect(() => readOutboxChange({}, NOW)).toThrow('Must specify send_at');
    expect(() => readOutboxChange({ send_at: SECONDS + 60, subject: 'x' }, NOW)).toThrow('Only send_at can be changed');
  });
});
