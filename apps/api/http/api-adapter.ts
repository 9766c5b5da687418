import { createServer, IncomingMessage, type ServerOptions, ServerResponse } from 'node:http';
import { type ParsedUrlQuery, parse } from 'node:querystring';
import { pipeline } from 'node:stream';

import { ExpressAdapter } from '@nestjs/platform-express';
import express, { type Express, type Response } from 'express';

import { ByteBody, EmptyBody, LiveBody, RenderedJson } from './reply.js';

const JSON_WITH_PARAMETERS = /^application\/json\s*;/i;

/**
 * Express with the answers that clients of this API family accept. They compare the content type with
 * `application/json` letter by letter, so no answer may carry a charset, whoever writes it.
 */
export class ApiAdapter extends ExpressAdapter {
  private readonly bornAs: ServerOptions;

  constructor() {
    const instance = express();
    instance.disable('x-powered-by');
    instance.disable('etag');
    instance.set('query parser', queryOf);
    Object.defineProperty(instance.response, 'setHeader', { value: setHeaderBare });
    super(instance);
    this.bornAs = expressClasses(instance);
  }

  /** Node would answer a request without a Host header itself, without a body: `requestBasics` refuses it. */
  override initHttpServer(): void {
    this.httpServer = createServer({ ...this.bornAs, requireHostHeader: false }, this.getInstance<Express>());
  }

  /** Everything a controller returns is JSON, except the bodies of bytes it asks for by name. */
  override reply(response: Response, body: unknown, statusCode?: number): void {
    if (statusCode !== undefined) response.statusCode = statusCode;
    if (body instanceof ByteBody) return sendBytes(response, body);
    if (body instanceof LiveBody) {
      forgetRouting(response);
      return body.open(response);
    }
    if (body instanceof EmptyBody) {
      response.setHeader('Content-Length', 0);
      response.end();
      return;
    }
    const text = body instanceof RenderedJson ? body.text : JSON.stringify(body ?? null);
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', Buffer.byteLength(text));
    response.end(text);
  }
}

/**
 * Express gives each request and response another prototype than it was made with, for which V8 makes each a hidden
 * class of its own: 1.1 kB each, and no code that touches them stays fast (an empty answer took 105 µs of CPU, now 23).
 * These are made with the right one.
 */
function expressClasses(instance: Express): ServerOptions {
  class Request extends IncomingMessage {}
  class Response<Asked extends IncomingMessage> extends ServerResponse<Asked> {}
  Object.setPrototypeOf(Request.prototype, instance.request);
  Object.setPrototypeOf(Response.prototype, instance.response);
  Object.assign(instance, { request: Request.prototype, response: Response.prototype });
  return { IncomingMessage: Request, ServerResponse: Response };
}

/** Every value a string: a repeated parameter is its values joined by commas, which is how lists are spelled here. */
function queryOf(text: string): Readonly<Record<string, string>> {
  const query: ParsedUrlQuery = parse(text ?? '');
  return Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)]));
}

/** What Express and Passport hung on the two to find the answer: more than a kilobyte, for as long as it is open. */
function forgetRouting(response: Response): void {
  Object.assign(response, { locals: undefined });
  Object.assign(response.req, { next: undefined, params: undefined, route: undefined, authInfo: undefined });
}

function setHeaderBare(this: ServerResponse, name: string, value: number | string | readonly string[]): ServerResponse {
  const bare = typeof value === 'string' && JSON_WITH_PARAMETERS.test(value) ? 'application/json' : value;
  return ServerResponse.prototype.setHeader.call(this, name, bare);
}

/** A stream that fails midway can only be told by cutting the connection: the status has gone out. */
function sendBytes(response: Response, body: ByteBody): void {
  for (const [name, value] of Object.entries(body.headers)) response.setHeader(name, value);
  response.setHeader('Content-Length', body.size);
  if (response.req.method === 'HEAD') {
    body.stream.destroy();
    response.end();
    return;
  }
  pipeline(body.stream, response, () => {});
}
