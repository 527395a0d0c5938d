/** Writes docs/state-machines.md. */
import { writeFileSync } from 'node:fs';
import '../test/typescript-loader.mjs';

const { stateMachines } = await import('../test/tidy/state-machines.ts');
writeFileSync(new URL('../docs/state-machines.md', import.meta.url), stateMachines());
