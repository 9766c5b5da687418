import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, NotFoundException } from '@nestjs/common';
import type { Request, Response } from 'express';

import { TooManyRequests } from '#libs/common/errors.js';
import { Logger } from '#libs/common/logger.js';

import { errorAnswer } from './error-body.js';
import { RouteTable } from './route-table.js';

/** Turns every error into `{type, message}`: ours, Nest's, Express's and those nobody expected. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(
    @Inject(Logger) private readonly logger: Logger,
    private readonly routes: RouteTable,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    if (response.headersSent) {
      response.destroy();
      return;
    }
    // Nest itself throws this one for a request that no route took; ours are NotFound of libs/common.
    const { status, body } = error instanceof NotFoundException ? this.unrouted(request, response) : errorAnswer(error);
    if (status >= 500)
      this.logger.error({ err: error, requestId: response.getHeader('x-request-id') }, 'request failed');
    if (status === 401)
      response.setHeader('WWW-Authenticate', 'Basic realm="API access token required", charset="UTF-8"');
    if (error instanceof TooManyRequests) sayWhen(response, error);
    const text = JSON.stringify(body);
    response.statusCode = status;
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('Content-Length', Buffer.byteLength(text));
    response.end(text);
  }

  private unrouted(request: Request, response: Response) {
    const allowed = this.routes.methodsOf(request.path);
    if (allowed.length === 0) return refusal(404, `There is nothing at ${request.path}`);
    response.setHeader('Allow', allowed.join(', '));
    return refusal(405, `${request.method} is not allowed here; use ${allowed.join(', ')}`);
  }
}

const refusal = (status: number, message: string) => ({ status, body: { type: 'invalid_request_error', message } });

/** Clients of this API family read the two X-RateLimit headers as numbers, the second in seconds. */
function sayWhen(response: Response, { limit, retryAfterSeconds }: TooManyRequests): void {
  response.setHeader('Retry-After', retryAfterSeconds);
  response.setHeader('X-RateLimit-Limit', limit);
  response.setHeader('X-RateLimit-Remaining', 0);
  response.setHeader('X-RateLimit-Reset', retryAfterSeconds);
}
