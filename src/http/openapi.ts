/** The OpenAPI document, made from the schemas that the doors check with. */
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Serves `/openapi.json`. To be called before the application listens. */
export function serveOpenApi(app: INestApplication, version: string): void {
  const about = new DocumentBuilder().setTitle('Sluice').setDescription('Durable batch orchestration').setVersion(version).build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, about), { ui: false, raw: ['json'], jsonDocumentUrl: 'openapi.json' });
}
