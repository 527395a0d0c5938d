/** `npm start`: the server with the demo on, unless the environment says otherwise. */
import { existsSync } from 'node:fs';

const SERVER = new URL('../dist/src/main.js', import.meta.url);
if (existsSync(SERVER)) {
  process.env.SLUICE_DEMO ??= 'on';
  await import(SERVER.href);
} else {
  process.stderr.write('This version has no server yet: the engine runs in tests only. `npm test` shows what it does; README.md says what is still to come.\n');
  process.exitCode = 1;
}
