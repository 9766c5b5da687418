/** `type` of an error body, as clients of this API family know it. */
export type ErrorType =
  'invalid_request_error' | 'api_error' | 'auth_error' | 'provider_error' | 'database_error' | 'cursor_expired';

/** An error the caller can act on. The API turns it into `{type, message, …details}` with this status. */
export class DomainError extends Error {
  constructor(
    readonly status: number,
    readonly type: ErrorType,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** 400: the request cannot be understood; the message names the parameter. */
export class InvalidRequest extends DomainError {
  constructor(message: string, details?: Readonly<Record<string, unknown>>) {
    super(400, 'invalid_request_error', message, details);
  }
}

/** 404: no such object, or another account's. */
export class NotFound extends DomainError {
  constructor(kind: string, id: string) {
    super(404, 'invalid_request_error', `Couldn't find ${kind} ${id}`);
  }
}

/** 409: the object changed meanwhile, or the name is taken. */
export class Conflict extends DomainError {
  constructor(message: string) {
    super(409, 'invalid_request_error', message);
  }
}

/** 401: no access token, or one that is not known. */
export class Unauthorized extends DomainError {
  constructor(message = 'Could not verify access credential.') {
    super(401, 'invalid_request_error', message);
  }
}

/** 429: too many requests of this kind; the API says when to come back. */
export class TooManyRequests extends DomainError {
  constructor(
    message: string,
    readonly limit: number,
    readonly retryAfterSeconds: number,
  ) {
    super(429, 'api_error', message);
  }
}
