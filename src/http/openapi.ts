/** The OpenAPI document, made from the schemas that the doors check with. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';

/** Serves `/openapi.json`. To be called before the application listens. */
export function serveOpenApi(app: INestApplication, version: string): void {
  const about = new DocumentBuilder().setTitle('Sluice').setDescription('Durable batch orchestration').setVersion(version).build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, about, { standardSchemaConverter: schemaOf }), { ui: false, raw: ['json'], jsonDocumentUrl: 'openapi.json' });
}

/** What a caller may send. What a schema checks but JSON Schema can't say is left open there. */
function schemaOf(schema: unknown): { schema: object } | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _schema, ...json } = z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0', unrepresentable: 'any' });
  return { schema: json };
}
