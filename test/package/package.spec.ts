import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { installPackage } from './installed-package.js';
import type { InstalledPackage } from './installed-package.js';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
/** The code blocks of the README, in their order: the first screen, and its test. */
const [firstScreen = '', itsTest = ''] = [...README.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code);
const MINUTES = 60_000;

const HOST = `
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandHandler, CqrsModule, Command, CommandBus, EventBus, EventsHandler } from '@nestjs/cqrs';
import type { IEventHandler } from '@nestjs/cqrs';
import { Interval, ScheduleModule } from '@nestjs/schedule';
import { defineBatch, Job, Sluice, SluiceModule } from 'sluice';
import type { JobHandler } from 'sluice';

let ticks = 0, events = 0, commands = 0;
class Ordered {}
class Pack extends Command<number> {}
@EventsHandler(Ordered) class OnOrdered implements IEventHandler<Ordered> { handle(): void { events += 1; } }
@CommandHandler(Pack) class OnPack { async execute(): Promise<number> { return ++commands; } }
@Injectable() class Clockwork { @Interval(20) tick(): void { ticks += 1; } }
@Controller('orders') class Orders { @Get() all(): string { return 'all orders'; } }
@Job({ name: 'weigh' }) @Injectable() class Weigh implements JobHandler { async run(): Promise<{ grams: number }> { return { grams: 7 }; } }
const weighing = defineBatch({ name: 'weighing', parameters: [{ name: 'what', kind: 'string', required: true }], steps: [{ id: 'weigh', type: 'job', job: 'weigh' }] });

@Module({
  imports: [
    CqrsModule.forRoot(), ScheduleModule.forRoot(),
    SluiceModule.forRootAsync({ useFactory: () => ({ directory: ':memory:', batches: [weighing], identify: () => ({ actor: 'ann', roles: new Set(['viewer']) }) }), rest: true }),
  ],
  controllers: [Orders],
  providers: [OnOrdered, OnPack, Clockwork, Weigh],
})
class Host {}

const app = await NestFactory.create(Host, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
const url = await app.getUrl();
const sluice = app.get(Sluice);
// @ts-expect-error its parameter is a string
void sluice.start(weighing, { what: 7 }, { actor: 'ann' }).catch(() => undefined);
const { runId } = await sluice.start(weighing, { what: 'tea' }, { actor: 'ann' });
const run = await sluice.waitFor(runId);
app.get(EventBus).publish(new Ordered());
await app.get(CommandBus).execute(new Pack());
const told = await fetch(\`\${url}/sluice/runs/\${runId}\`);
console.log(JSON.stringify({ status: run.status, outputs: run.steps[0]?.outputs, events, commands, orders: await (await fetch(\`\${url}/orders\`)).text(), told: told.status, ticked: ticks > 0 }));
await app.close();
`;

const TSCONFIG = {
  compilerOptions: { target: 'es2023', module: 'nodenext', moduleResolution: 'nodenext', strict: true, types: ['node'], outDir: 'out', skipLibCheck: false, experimentalDecorators: true, emitDecoratorMetadata: true },
  include: ['*.ts'],
};

describe('the package in an application of its own', () => {
  let installed: InstalledPackage;
  beforeAll(() => {
    installed = installPackage('@nestjs/platform-express', '@nestjs/schedule', '@types/node', 'typescript');
    installed.write('tsconfig.json', JSON.stringify(TSCONFIG));
    installed.write('first-screen.ts', firstScreen);
    const defined = firstScreen.slice(firstScreen.indexOf('const greet'), firstScreen.indexOf('const app'));
    installed.write('its-test.ts', `import { defineBatch, defineJob } from 'sluice';\n${defined}${itsTest}`);
    installed.write('host.ts', HOST);
  }, 5 * MINUTES);
  afterAll(() => installed.remove());

  it('type-checks strictly against what was packed', () => {
    expect(installed.node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json')).toEqual({ status: 0, output: '' });
  }, 3 * MINUTES);

  it("runs the README's first screen, in fifteen lines", () => {
    expect(firstScreen.split('\n').filter((line) => line.trim() !== '')).toHaveLength(15);
    expect(installed.node('out/first-screen.js')).toMatchObject({ status: 0, output: expect.stringContaining('Say "Hello Ann"? completed\n') });
  }, MINUTES);

  it("runs the README's test of a gate of 30 days", () => {
    expect(installed.node('out/its-test.js')).toMatchObject({ status: 0, output: expect.stringMatching(/^failed\n/m) });
  }, MINUTES);

  it('is a guest beside CQRS and schedules of its host', () => {
    const { status, output } = installed.node('out/host.js');
    expect(output).toContain('{"status":"completed","outputs":{"grams":7},"events":1,"commands":1,"orders":"all orders","told":200,"ticked":true}');
    expect(status).toBe(0);
  }, MINUTES);

  it('brings the command line', () => {
    expect(installed.node('node_modules/sluice/dist/src/cli/main.js', '--help')).toMatchObject({ status: 0, output: expect.stringContaining('Usage: sluice') });
  }, MINUTES);

  it('holds what an application needs and no more', () => {
    const { files } = installed;
    expect(files).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/src/index.js', 'dist/src/index.d.ts', 'dist/src/testing/index.js', 'dist/src/cli/main.js', 'dist/dashboard/index.html']));
    expect(files.some((file) => /^dist\/dashboard\/assets\/index-[^/]+[.]js$/.test(file))).toBe(true);
    expect(files.filter((file) => /[.]map$|[.]spec[.]|(^|\/)test\/|^(src|projections|scripts|docs|bench|dashboard)\/|tsconfig|[.]tgz$|[.]db$|built-from/.test(file))).toEqual([]);
    // The demo that `sluice start` offers is made of them.
    expect(files.filter((file) => file.includes('examples/') && !/^dist\/examples\/[a-z-]+[.](js|d[.]ts)$/.test(file))).toEqual([]);
  });
});
