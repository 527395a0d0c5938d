/**
 * Lets a real Node process run TypeScript files as they stand, without a build: `node --import <this file> file.ts`.
 */
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
