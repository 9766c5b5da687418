import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Express } from 'express';

/** What Express's router keeps of one route. */
interface RouteLayer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** The routes as Express will try them. Answers which methods a path knows, for 405. */
@Injectable()
export class RouteTable {
  constructor(private readonly host: HttpAdapterHost) {}

  /** Upper-case methods, sorted, with HEAD where there is GET; empty when no route has this path. */
  methodsOf(path: string): string[] {
    const methods = this.layers()
      .filter((layer) => layer.route && layer.match(path))
      .flatMap((layer) => Object.keys(layer.route?.methods ?? {}))
      .flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    return [...new Set(methods)].toSorted();
  }

  private layers(): readonly RouteLayer[] {
    const express = this.host.httpAdapter.getInstance<Express>();
    return express.router.stack as unknown as readonly RouteLayer[];
  }
}
