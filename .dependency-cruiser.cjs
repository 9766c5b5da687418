/** The import rules of docs/adr/0001-layout.md, checked by `npm run architecture`. */
// At run time `#libs/*` lies in dist, and so it is resolved here: what is forbidden in libs is forbidden there too.
const wherever = (path) =>
  Array.isArray(path)
    ? path.map(wherever)
    : path?.replace('^libs/', '^(?:dist/)?libs/').replace('^(apps|libs', '^(?:dist/)?(apps|libs');
const both = (to) => ({
  ...to,
  ...(to.path && { path: wherever(to.path) }),
  ...(to.pathNot && { pathNot: wherever(to.pathNot) }),
});
const rule = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to: both(to) });
const drivers = ['imap', 'gmail-imap', 'smtp', 'microsoft', 'google-calendar', 'google-contacts', 'caldav', 'carddav'];
const anyDriver = `^libs/providers/(${drivers.join('|')})/`;

module.exports = {
  forbidden: [
    rule('no-cycles', {}, { circular: true }),
    rule('apps-apart', { path: '^apps/([^/]+)/' }, { path: '^apps/', pathNot: '^apps/$1/' }),
    rule('libs-know-no-app', { path: '^libs/' }, { path: '^apps/' }),
    rule(
      'common-is-pure',
      { path: '^libs/common/' },
      { path: ['^(apps|libs|migrations|test)/', 'node_modules/(@nestjs|typeorm)/'], pathNot: '^libs/common/' },
    ),
    rule('domain-reaches-no-provider', { path: '^libs/domain/' }, { path: '^libs/(providers|sync)/' }),
    rule(
      'api-reaches-no-provider',
      { path: '^apps/api/' },
      { path: '^libs/(providers/(?!oauth/|detect/)|sync/|changes/)' },
    ),
    rule(
      'drivers-reach-no-database',
      { path: '^libs/providers/' },
      { path: ['^libs/(database|changes|queues|domain|sync|blobs)/', 'node_modules/typeorm/'] },
    ),
    ...drivers
      .filter((driver) => driver !== 'gmail-imap')
      .map((driver) =>
        rule(
          `driver-apart-${driver}`,
          { path: `^libs/providers/${driver}/` },
          { path: anyDriver, pathNot: `^libs/providers/${driver}/` },
        ),
      ),
    rule(
      'only-the-registry-names-drivers',
      { pathNot: ['^dist/', '^libs/providers/', '^test/', '\\.spec\\.ts$'] },
      { path: anyDriver },
    ),
    rule(
      'imapflow-has-one-home',
      { path: '^(apps|libs)/', pathNot: '^libs/providers/(imap|gmail-imap)/' },
      { path: 'node_modules/imapflow/' },
    ),
    rule(
      'nodemailer-has-one-home',
      { path: '^(apps|libs)/', pathNot: '^(libs/(providers/smtp|mime)|apps/launcher/peers)/' },
      { path: '^node_modules/nodemailer/' },
    ),
    rule(
      'mailparser-has-one-home',
      { path: '^(apps|libs)/', pathNot: '^libs/mime/' },
      { path: 'node_modules/mailparser/' },
    ),
    rule('apps-see-no-typeorm', { path: '^apps/(?!cli/)' }, { path: 'node_modules/(typeorm|@nestjs/typeorm)/' }),
    rule(
      'bull-behind-the-seam',
      { path: '^(apps|libs)/', pathNot: '^(libs/queues|apps/worker)/' },
      { path: 'node_modules/bull/' },
    ),
    rule(
      'backfill-threads-stay-light',
      { path: '^apps/worker/sync/backfill-thread\\.ts$' },
      { path: 'node_modules/(typeorm|@nestjs/core|undici|bull)/', reachable: true },
      'each thread would load it: docs/adr/0010-one-pool.md',
    ),
    rule(
      'http-only-in-api',
      { path: '^(apps/(?!api/)|libs/)' },
      { path: 'node_modules/(express|@nestjs/(swagger|passport|platform-express)|passport)' },
    ),
    rule(
      'no-test-code-in-production',
      { path: '^(apps|libs|migrations)/', pathNot: '\\.spec\\.ts$' },
      { path: '^test/' },
    ),
    rule('migrations-import-nothing-of-ours', { path: '^migrations/' }, { path: '^(apps|libs|test)/' }),
    rule('no-orphans', { orphan: true, path: '^apps/', pathNot: ['\\.spec\\.ts$', '\\.d\\.ts$'] }, {}),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
