/**
 * `npm start`: the server with the demo on, unless the environment says otherwise.
 *
 * A signal that ends npm does not always come through to here: when npm is gone, the server ends as if it had.
 */
const SERVER = new URL('../dist/src/main.js', import.meta.url);
const LOOK_MS = 500;

process.env.SLUICE_DEMO ??= 'on';
const parent = process.ppid;
if (process.env.npm_lifecycle_event === 'start') {
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_MS);
  look.unref();
}
await import(SERVER.href);
