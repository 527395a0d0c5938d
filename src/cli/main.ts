#!/usr/bin/env node
/** The command `sluice`. */
import { createRequire } from 'node:module';
import { z } from 'zod';
import { SystemClock } from '../clock.js';
import { sluice } from './program.js';
import { processTerminal } from './terminal.js';

let serving = false;
// A reader that has seen enough, like `head`, is no failure; a server goes on without one.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (!serving) process.exit(0);
});

async function serve(): Promise<void> {
  serving = true;
  await import('../main.js');
}

const { version } = z.object({ version: z.string() }).parse(createRequire(import.meta.url)('sluice/package.json'));
const { env } = process;
const code = await sluice(process.argv.slice(2), { terminal: processTerminal(env), clock: new SystemClock(), env, serve }, version);
// A server that was started lives on and says itself how it ends.
if (code !== 0) process.exitCode = code;
