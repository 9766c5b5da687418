import type { IncomingMessage } from 'node:http';
import { parse as parseForm } from 'node:querystring';

import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';

import { InvalidRequest } from '#libs/common/errors.js';

const JSON_LIMIT = '10mb';
const FORM_LIMIT = '1mb';

/** Content types whose bodies are not JSON, whatever they look like. */
const NOT_JSON = /^\s*(multipart\/|message\/rfc822|application\/x-www-form-urlencoded)/i;
const FORM = /^\s*application\/x-www-form-urlencoded/i;
const BROKEN_JSON = 'The request body is not valid JSON.';
const WITHOUT_BODY = new Set(['GET', 'HEAD', 'OPTIONS']);

const contentType = (request: IncomingMessage): string => request.headers['content-type'] ?? '';

const json = express.json({
  limit: JSON_LIMIT,
  strict: false,
  type: (request) => !NOT_JSON.test(contentType(request)),
});
const form = express.text({ limit: FORM_LIMIT, type: (request) => FORM.test(contentType(request)) });

/**
 * Reads request bodies the way this API family's clients send them: JSON under any content type but the few that
 * announce something else, forms that turn out to be JSON, and bodies on GET that mean nothing and are never read.
 */
export const bodyParsing: RequestHandler = (request: Request, response: Response, next: NextFunction) => {
  if (WITHOUT_BODY.has(request.method)) return next();
  if (FORM.test(contentType(request))) return form(request, response, (fault) => finishForm(request, next, fault));
  return json(request, response, (fault) => {
    request.body ??= {};
    next(fault instanceof SyntaxError ? new InvalidRequest(BROKEN_JSON) : fault);
  });
};

function finishForm(request: Request, next: NextFunction, fault: unknown): void {
  if (fault) return next(fault);
  try {
    request.body = formBody(typeof request.body === 'string' ? request.body : '');
    next();
  } catch (error) {
    next(error);
  }
}

/** @throws InvalidRequest when the text begins like JSON and is not. */
export function formBody(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return { ...parseForm(text) };
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new InvalidRequest(BROKEN_JSON);
  }
}
