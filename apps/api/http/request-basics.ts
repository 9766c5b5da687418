import { randomUUID } from 'node:crypto';

import type { NextFunction, Request, Response } from 'express';

import { InvalidRequest } from '#libs/common/errors.js';

const METHODS = 'GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS';
const HEADERS = 'Authorization,Content-Type';
const REQUESTED_HEADERS = 'access-control-request-headers';
const EXPOSED =
  'X-Request-Id,Content-Disposition,Retry-After,X-RateLimit-Limit,X-RateLimit-Remaining,X-RateLimit-Reset';
const VERSION_HEADER = 'nylas-api-version';

/**
 * What every request gets before anything else looks at it: an id, one spelling of its path, CORS for browsers and the
 * echo of the version header. Answers OPTIONS itself, and refuses what HTTP/1.1 forbids (RFC 9112, 3.2).
 */
export function requestBasics(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('X-Request-Id', requestId(request));
  const version = request.headers[VERSION_HEADER];
  if (typeof version === 'string') response.setHeader('Nylas-Api-Version', version);
  if (request.headers.origin !== undefined) allowOrigin(request, request.headers.origin, response);
  if (request.headers.host === undefined && request.httpVersion === '1.1') {
    return next(new InvalidRequest('The request has no Host header, which HTTP/1.1 demands.'));
  }
  if (request.method === 'OPTIONS') {
    response.setHeader('Allow', METHODS);
    response.setHeader('Content-Length', 0);
    response.end();
    return;
  }
  request.url = plainPath(request.url);
  // PATCH is taken wherever PUT is: nothing here replaces a whole object.
  if (request.method === 'PATCH') request.method = 'PUT';
  next();
}

/**
 * `//threads?x=//` becomes `/threads?x=//`: base addresses that end in a slash are common. Some proxies and clients name
 * the host in the request line too.
 */
export function plainPath(url: string): string {
  if (!url.includes('//')) return url;
  const [path = '', ...query] = url.replace(/^https?:\/\/[^/?]*/i, '').split('?');
  return [path.replaceAll(/\/{2,}/g, '/') || '/', ...query].join('?');
}

function requestId(request: Request): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

function allowOrigin(request: Request, origin: string, response: Response): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  response.setHeader('Access-Control-Allow-Methods', METHODS);
  response.setHeader('Access-Control-Allow-Headers', request.headers[REQUESTED_HEADERS] ?? HEADERS);
  response.setHeader('Access-Control-Expose-Headers', EXPOSED);
  response.setHeader('Vary', 'Origin');
}
