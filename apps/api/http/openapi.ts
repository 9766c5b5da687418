import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

/** The description of our API, made from controllers and schemas. `openapi.json` at the root is its committed copy. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Postrider')
    .setDescription(
      'Mail over HTTP. API v1 lives under /n/{namespace_id}, API v2 has no prefix; both show the same objects. ' +
        'Authenticate with an access token: as user name of Basic authentication, or as Bearer.',
    )
    .setVersion('2.0')
    .addBasicAuth()
    .addSecurity('bearer', { scheme: 'bearer', type: 'http' })
    .addSecurityRequirements('basic')
    .addSecurityRequirements('bearer')
    .build();
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
  });
  tellDialectsApart(document);
  return document;
}

/** Where routes are repeated, and what their operations are called there. */
const PREFIXES = [
  ['/n/{namespaceId}', 'InNamespace'],
  ['/v2', 'InV2'],
] as const;

/** Ids of operations must be unique in a document; a route of both dialects comes with the same one twice. */
function tellDialectsApart({ paths }: OpenAPIObject): void {
  for (const [path, item] of Object.entries(paths)) {
    const [prefix, suffix] = PREFIXES.find(([start]) => path.startsWith(`${start}/`)) ?? [];
    if (prefix === undefined || !paths[path.slice(prefix.length)]) continue;
    for (const operation of [item.get, item.put, item.post, item.patch, item.delete]) {
      if (operation?.operationId) operation.operationId += suffix;
    }
  }
}

/** `/docs` for people, `/openapi.json` for machines; the document is made when somebody asks first. */
export function serveOpenApi(app: INestApplication): void {
  let document: OpenAPIObject | undefined;
  SwaggerModule.setup('docs', app, () => (document ??= openApiDocument(app)), {
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Postrider API',
  });
}
