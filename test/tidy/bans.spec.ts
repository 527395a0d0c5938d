import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ESLint, Linter } from 'eslint';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The rules that ban a way of writing; the others come with their own tests. */
const BANS = ['no-restricted-syntax', 'no-restricted-imports', 'no-console', '@typescript-eslint/no-explicit-any'];

const REFUSED: readonly (readonly [code: string, instead: RegExp])[] = [
  ['export const at = Date.now();', /clock\.now\(\)/],
  ['export const at = new Date();', /clock\.now\(\)/],
  ['export const at = Date();', /clock\.now\(\)/],
  ['export const at = performance.now();', /clock\.elapsed\(\)/],
  ['setTimeout(() => 1, 10);', /clock\.wakeAt/],
  ['globalThis.setInterval(() => 1, 10);', /clock\.wakeAt/],
  ['export const s = AbortSignal.timeout(5);', /AbortController/],
  [`import { setTimeout as sleep } from 'node:timers/promises';\nexport const s = sleep;`, /src\/clock\.ts/],
  ['export const n = Math.random();', /src\/ids\.ts/],
  ['export const n = crypto.randomUUID();', /src\/ids\.ts/],
  [`import { randomUUID } from 'node:crypto';\nexport const n = randomUUID;`, /src\/ids\.ts/],
  [`import { EventBus } from '@nestjs/cqrs';\nexport const n = EventBus;`, /event log/],
  [`import { AggregateRoot, Saga } from '@nestjs/cqrs';\nexport const n = [AggregateRoot, Saga];`, /event log/],
  [`import { forwardRef } from '@nestjs/common';\nexport const n = forwardRef;`, /arrows/],
  [`export * from './all.js';`, /export \{ A, B \}/],
  [`console.log('here');`, /Unexpected console/],
  ['export const a: any = 1;', /any/],
  ['export const a = JSON.parse("1") as number;', /narrow, or parse/],
  ['export const s = (id: string): string => `run-${id}`;', /streams\.ts/],
];

const ACCEPTED: readonly (readonly [file: string, code: string])[] = [
  ['src/clock.ts', 'export const at = Date.now(); setTimeout(() => 1, 10);'],
  ['src/ids.ts', `import { randomUUID } from 'node:crypto';\nexport const id = randomUUID() as string;`],
  ['src/actors/fold.ts', 'export const a = JSON.parse("1") as number;'],
  ['src/runs/run.machine.ts', 'export const types = { context: {} as { n: number } };'],
  ['src/events/streams.ts', 'export const s = (id: string): string => `run-${id}`;'],
  ['src/runs/run.decide.ts', `export const due = new Date(0); export const kinds = ['a', 'b'] as const;`],
];

describe('The bans of the house', () => {
  it.each(REFUSED)('refuse %p and say what to write instead', async (code, instead) => {
    const messages = await lint('src/runs/example.ts', code);
    expect(messages.join('\n')).toMatch(instead);
  });

  it.each(ACCEPTED)('let %s be what it is for', async (file, code) => {
    expect(await lint(file, code)).toEqual([]);
  });

  it('forbid sleeping in a spec', async () => {
    expect(await lint('src/runs/example.spec.ts', 'setTimeout(() => 1, 10);')).toEqual([expect.stringMatching(/No sleeps/)]);
  });
});

/** Only the bans, as configured for that file, without the type information that they don't need. */
async function lint(file: string, code: string): Promise<readonly string[]> {
  const configured: Linter.Config = await new ESLint({ cwd: ROOT }).calculateConfigForFile(file);
  const { languageOptions, plugins } = configured;
  const rules = Object.fromEntries(BANS.map((name) => [name, configured.rules?.[name] ?? 'off']));
  const untyped = { ...languageOptions, parserOptions: { sourceType: 'module' } };
  const config: Linter.Config = { files: ['**/*.ts'], languageOptions: untyped, plugins: plugins ?? {}, rules };
  return new Linter().verify(code, [config], { filename: file }).map(({ message }) => message);
}
