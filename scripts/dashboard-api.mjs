/**
 * Writes what the dashboard knows of the server: the types of its doors, from the OpenAPI document that a server started
 * for this serves, and the JSON Schema of a definition, for the editor. Needs a build (npm run setup).
 * With `types <file>` it prints the types that the document in that file says; a test holds the written ones to them.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const place = join(root, 'dashboard', 'src', 'api');

function typesOf(document) {
  const cli = join(root, 'dashboard/node_modules/openapi-typescript/bin/cli.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, document], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(stderr);
  // Any JSON value, as the dashboard names it.
  return stdout.replace(/^( +Json): unknown;/m, "$1: import('./json').Json;");
}

async function servedTypes() {
  const data = mkdtempSync(join(tmpdir(), 'sluice-api-'));
  const server = spawn(process.execPath, [join(root, 'dist/src/main.js')], { cwd: data, env: { ...process.env, SLUICE_PORT: '0', SLUICE_DATA: data, SLUICE_DEMO: 'off' }, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const url = await new Promise((resolve, reject) => {
      let said = '';
      server.stdout.on('data', (chunk) => {
        said += chunk;
        const found = /listening on (http:\S+)/.exec(said);
        if (found) resolve(found[1]);
      });
      server.on('exit', () => reject(new Error(`The server ended: ${said}`)));
    });
    const document = join(data, 'openapi.json');
    writeFileSync(document, await (await fetch(`${url}/openapi.json`)).text());
    return typesOf(document);
  } finally {
    server.kill();
    rmSync(data, { recursive: true, force: true });
  }
}

async function definitionSchema() {
  const { z } = await import('zod');
  const { batchDefinitionSchema } = await import('../dist/src/events/definition.js');
  return z.toJSONSchema(batchDefinitionSchema, { io: 'input', unrepresentable: 'any' });
}

const [, , what, document] = process.argv;
if (what === 'types') {
  process.stdout.write(typesOf(document));
} else {
  writeFileSync(join(place, 'openapi.d.ts'), await servedTypes());
  writeFileSync(join(place, 'definition.schema.json'), `${JSON.stringify(await definitionSchema(), null, 1)}\n`);
}
