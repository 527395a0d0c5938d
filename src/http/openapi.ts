/** The OpenAPI document, made from the schemas that the doors check with. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { shapeOf } from './answers.js';

/** Where the application serves the document, once it does. */
export class OpenApiPlace {
  url: string | undefined;
}

/** Serves `/openapi.json`. To be called before the application listens. */
export function serveOpenApi(app: INestApplication, version: string): void {
  app.get(OpenApiPlace, { strict: false }).url = '/openapi.json';
  const about = new DocumentBuilder().setTitle('Sluice').setDescription('Durable batch orchestration').setVersion(version).setOpenAPIVersion('3.1.1').build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, about, { standardSchemaConverter: schemaOf }), { ui: false, raw: ['json'], jsonDocumentUrl: 'openapi.json' });
}

/** What a caller may send and what is answered. What a schema checks but JSON Schema can't say is left open there. */
function schemaOf(schema: unknown, { schemaType: io }: { readonly schemaType: 'input' | 'output' }): { schema: object; components: Record<string, object> } | undefined {
  if (!(schema instanceof z.ZodType)) return undefined;
  const { $schema: _schema, $defs: named = {}, ...json } = z.toJSONSchema(shapeOf(schema), { io, unrepresentable: 'any' });
  const components = Object.fromEntries(Object.entries(named).map(([name, { id: _id, ...component }]) => [name, component]));
  return { schema: json, components };
}
