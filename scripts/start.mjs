/** `npm start`: the server with the demo on, unless the environment says otherwise. */
process.env.SLUICE_DEMO ??= 'on';
await import('../dist/src/main.js');
