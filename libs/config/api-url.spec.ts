import { apiUrl } from './api-url.js';

describe('apiUrl', () => {
  it.each([
    ['127.0.0.1', 'http://127.0.0.1:5555'],
    ['0.0.0.0', 'http://127.0.0.1:5555'],
    ['::', 'http://127.0.0.1:5555'],
    ['::1', 'http://[::1]:5555'],
    ['mail.example.com', 'http://mail.example.com:5555'],
  ])('of %s is %s', (HOST, url) => expect(apiUrl({ HOST, PORT: 5555 })).toBe(url));
});
