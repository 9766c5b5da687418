import { type DynamicModule, Module } from '@nestjs/common';

import { EgressGuard } from '#libs/common/egress-guard.js';
import { SecretBox } from '#libs/common/secret-box.js';

import type { Config } from './config.js';

/** Injection token of the frozen settings: `@Inject(CONFIG) config: Config`. */
export const CONFIG = Symbol('CONFIG');

/** The settings, and the two tools that are nothing but settings at work: SecretBox and EgressGuard. */
@Module({})
export class ConfigModule {
  static forRoot(config: Config): DynamicModule {
    return {
      module: ConfigModule,
      global: true,
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: SecretBox, useFactory: () => new SecretBox(config.SECRET_KEYS) },
        { provide: EgressGuard, useFactory: () => new EgressGuard({ allowPrivate: config.EGRESS_ALLOW_PRIVATE }) },
      ],
      exports: [CONFIG, SecretBox, EgressGuard],
    };
  }
}
