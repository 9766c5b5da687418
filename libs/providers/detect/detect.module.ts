import { Inject, Injectable, Module } from '@nestjs/common';

import { EgressGuard } from '#libs/common/egress-guard.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';

import { type DetectedProvider, detectProvider, type DetectionSources } from './detect-provider.js';
import { onlineSources } from './online-sources.js';

/** Mail servers of an address, as the settings allow to look for them. */
@Injectable()
export class ProviderDetection {
  private readonly sources: DetectionSources;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    guard: EgressGuard,
  ) {
    this.sources = onlineSources(guard, config.ISPDB_DIR);
  }

  detect(email: string): Promise<DetectedProvider | null> {
    return detectProvider(email, this.sources, this.config.AUTODETECT_ONLINE);
  }
}

@Module({ providers: [ProviderDetection], exports: [ProviderDetection] })
export class DetectModule {}
