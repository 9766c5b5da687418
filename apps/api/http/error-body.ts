import { HttpException } from '@nestjs/common';

import { DomainError, type ErrorType } from '#libs/common/errors.js';
import { isDatabaseOutage } from '#libs/database/outage.js';

export interface ErrorAnswer {
  readonly status: number;
  readonly body: { readonly type: ErrorType; readonly message: string; readonly [detail: string]: unknown };
}

/** What the client is told about an error. Texts of unexpected errors stay inside: they may name hosts or rows. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (error instanceof DomainError) {
    return answer(error.status, error.type, error.message, error.details);
  }
  if (isDatabaseOutage(error)) {
    return answer(503, 'database_error', 'The database cannot be reached. Please try again in a few moments.');
  }
  if (isOutOfTime(error)) {
    return answer(503, 'database_error', 'The database takes too long to answer. Please try again in a few moments.');
  }
  const refusal = refusalOf(error);
  if (refusal) return answer(refusal.status, 'invalid_request_error', refusal.message);
  return answer(500, 'api_error', 'An internal error occurred. Please try again; if it persists, tell your operator.');
}

function answer(status: number, type: ErrorType, message: string, details: object = {}): ErrorAnswer {
  return { status, body: { ...details, type, message } };
}

const REFUSALS: Readonly<Record<string, string>> = {
  'entity.too.large': 'The request body is too large.',
  'charset.unsupported': 'The character set of the request body is not supported.',
  'encoding.unsupported': 'The content encoding of the request body is not supported.',
};

/** Errors of the HTTP machinery (Nest, Express, body-parser) that are the request's fault. */
function refusalOf(error: unknown): { status: number; message: string } | null {
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return status >= 400 && status < 500 ? { status, message: refusalText(status, error) } : null;
  }
  if (!(error instanceof Error)) return null;
  const status = 'status' in error ? error.status : undefined;
  if (typeof status !== 'number' || status < 400 || status >= 500) return null;
  return { status, message: refusalText(status, error) };
}

function refusalText(status: number, error: Error): string {
  const type = 'type' in error && typeof error.type === 'string' ? error.type : '';
  const known = REFUSALS[type];
  if (known) return known;
  if (status === 413) return 'The request body is too large.';
  if (status === 400) return 'The request cannot be read.';
  return error.message;
}

// PostgreSQL's statement_timeout, and pg's query_timeout, which has no code.
const CANCELED = '57014';
const UNANSWERED = 'Query read timeout';

function isOutOfTime(error: unknown): boolean {
  return error instanceof Error && (error.message === UNANSWERED || ('code' in error && error.code === CANCELED));
}
