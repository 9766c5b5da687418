import fs from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

// Tests run as CommonJS: swc turns our TypeScript and the ESM-only packages below into CommonJS, which needs no
// experimental flag on any supported Node. The end-to-end tests spawn the built `dist/`, so ESM-only faults show there.
const swc = (syntax) => ({
  jsc: {
    target: 'es2022',
    keepClassNames: true,
    parser:
      syntax === 'ts'
        ? { syntax: 'typescript', decorators: true, dynamicImport: true }
        : { syntax: 'ecmascript', dynamicImport: true, importAttributes: true },
    transform:
      syntax === 'ts' ? { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false } : {},
  },
  module: { type: 'commonjs' },
  sourceMaps: syntax === 'ts' ? 'inline' : false,
  isModule: true,
  swcrc: false,
});

/** Packages that ship ES modules only and are reached from a test. */
const esmOnly = [
  '@nestjs/.*',
  'file-type',
  'strtok3',
  'token-types',
  'uint8array-extras',
  '@tokenizer/.*',
  '@borewit/.*',
  'es-toolkit',
  'smtp-server',
];

const shared = {
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': ['@swc/jest', swc('ts')], '^.+\\.m?js$': ['@swc/jest', swc('js')] },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  moduleNameMapper: { '^#libs/(.*)\\.js$': '<rootDir>/libs/$1.ts', '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/var'],
};

/** Tests on real servers get a PostgreSQL and a Redis, started once per run. */
const onServers = {
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
};

const project = (displayName, roots, testRegex, extra = {}) => ({ ...shared, displayName, roots, testRegex, ...extra });

/** Git keeps no empty folders, and Jest refuses roots that are not there. */
const isThere = (root) => fs.existsSync(path.join(import.meta.dirname, root.replace('<rootDir>', '.')));

export default {
  // A test that waits for a condition waits this long at most; none of them takes a quarter of it on an idle machine.
  testTimeout: 240_000,
  // Tests mostly wait for processes of their own, so two at a time are no burden where there are two cores.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  reporters: ['default', '<rootDir>/test/support/closing-line.cjs'],
  projects: [
    project('unit', ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test/support'], '\\.spec\\.ts$'),
    project('integration', ['<rootDir>/test/integration'], '\\.int-spec\\.ts$', onServers),
    project('e2e', ['<rootDir>/test/e2e'], '\\.e2e-spec\\.ts$', onServers),
    project('long', ['<rootDir>/test/long'], '\\.long-spec\\.ts$', onServers),
  ].filter(({ roots }) => roots.every(isThere)),
};
