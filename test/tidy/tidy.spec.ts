import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAX_LINES = 300;
const MAX_SPEC_LINES = 400;

/** Files in which a test may be skipped, each with its why; CI says loudly when it comes to that. */
const SKIPS: Readonly<Record<string, string>> = {
  'test/contracts/eventstoredb.real.spec.ts': 'needs a server of its own, which EVENTSTORE_URL names',
  'test/contracts/sqlite.durability.spec.ts': 'counts system calls with strace, which is not on every machine',
  'test/browser/browser.ts': 'looks with chromium, which is not on every machine',
};

const ROOMS = [
  ...['events', 'log', 'actors', 'batches', 'runs', 'gates', 'schedules', 'jobs', 'expressions'],
  ...['reactors', 'reading', 'audit', 'http', 'telemetry', 'cli', 'testing'],
];
const NO_ROOMS = /(^|\/)(common|shared|utils?|helpers?|core|base|misc|domain|application|infrastructure|interfaces|types|dtos?|entities)(\/|\.tsx?$)/;
const BARRELS = ['src/index.ts', 'src/testing/index.ts'];
const MAX_DECISION = { lines: 60, characters: 5_000 };

// Written in parts, so that this file does not hold what it looks for.
const WORKPLACE_WORDS = [
  ['farm', '-studio'],
  ['farm', '-bench'],
  ['before', '-stop'],
  ['sub', 'agent'],
  ['clau', 'de'],
  ['anthro', 'pic'],
  ['chat', 'gpt'],
  ['language', ' model'],
  ['..', '/shared/'],
  ['house', '.md'],
  ['brief', '.md'],
].map((parts) => parts.join(''));
const MACHINE_PATHS = new RegExp(`(?<![\\w.~$}])/(${['home', 'Users', 'root', 'work', 'tmp', 'mnt'].join('|')})/[\\w.]`);
const REGISTRIES = new RegExp(['registry[.]npm', 'js|registry[.]yarn', 'pkg|npm', 'mirror|codeload[.]github|pypi', '[.]org'].join(''));
const FOCUS = new RegExp(`\\b(describe|it|test)(\\.each)?\\.(${['skip', 'only', 'todo'].join('|')})\\b|\\b(${['xit', 'xdescribe', 'fit', 'fdescribe'].join('|')})\\(`);
const UNDONE = new RegExp(`\\b(${['TO', 'DO|FIX', 'ME|X', 'XX'].join('')})\\b|not ${'implemented'}`);

/** All that is committed or would be: paths with forward slashes. */
const files = git('ls-files', '--cached', '--others', '--exclude-standard').filter((file) => existsSync(join(ROOT, file)));
const sources = files.filter((file) => /^(src|projections)\/.*\.ts$/.test(file));
const typescript = files.filter((file) => /\.tsx?$/.test(file));
const texts = files.filter((file) => isText(file) && basename(file) !== 'package-lock.json');
const decisions = files.filter((file) => file.startsWith('docs/decisions/'));

describe('The tree is tidy:', () => {
  it('source files fit a reader', () => {
    const tooLong = sources
      .map((file) => ({ file, lines: lines(file).length, max: file.endsWith('.spec.ts') ? MAX_SPEC_LINES : MAX_LINES }))
      .filter(({ lines, max }) => lines > max);
    expect(tooLong).toEqual([]);
  });

  it('no room is named after the kind of thing in it', () => {
    expect(files.filter((file) => /^(src|projections|examples|test)\//.test(file) && NO_ROOMS.test(file))).toEqual([]);
  });

  it('src has the rooms of the house and no others', () => {
    const rooms = sources.map((file) => /^src\/([^/]+)\//.exec(file)?.[1]).filter((name) => name !== undefined);
    expect([...new Set(rooms)].filter((name) => !ROOMS.includes(name))).toEqual([]);
  });

  it('names are kebab-case with a role after a dot', () => {
    const named = files.filter((file) => /^(src|projections|examples|test)\/.*\.ts$/.test(file));
    expect(named.filter((file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.ts$/.test(basename(file)))).toEqual([]);
  });

  it('there are two barrels', () => {
    expect(sources.filter((file) => basename(file) === 'index.ts' && !BARRELS.includes(file))).toEqual([]);
  });

  it('every test runs: none is skipped, focused or promised', () => {
    expect(offences(typescript.filter((file) => !(file in SKIPS)), FOCUS)).toEqual([]);
  });

  it('every test file belongs to a project of jest', () => {
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    const listed = run(process.execPath, jest, '--listTests', '--rootDir', ROOT).map((path) => path.slice(ROOT.length));
    const written = typescript.filter((file) => /^(src|projections|examples|test)\/.*\.(spec|scenario)\.ts$/.test(file));
    expect(written.filter((file) => !listed.includes(file))).toEqual([]);
  });

  it('nothing is left undone in the source', () => {
    expect(offences(texts.filter((file) => /^(src|projections|examples|scripts|bench|dashboard\/src)\//.test(file)), UNDONE)).toEqual([]);
  });

  it('no file knows the machine it was written on', () => {
    expect(offences(texts, MACHINE_PATHS)).toEqual([]);
  });

  it('no file names a package registry, and lock files hold no addresses', () => {
    expect(offences(texts, REGISTRIES)).toEqual([]);
    expect(offences(files.filter((file) => basename(file) === 'package-lock.json'), /"resolved":/)).toEqual([]);
  });

  it('the project speaks of itself alone', () => {
    expect(offences(texts, new RegExp(WORKPLACE_WORDS.map((word) => word.replaceAll('.', '[.]')).join('|'), 'i'))).toEqual([]);
  });

  it('decisions are numbered without holes', () => {
    expect(decisions.filter((file) => !/^docs\/decisions\/\d{4}-[a-z0-9-]+\.md$/.test(file))).toEqual([]);
    const numbers = decisions.map((file) => Number(basename(file).slice(0, 4))).sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('a decision fits a page and opens with its number', () => {
    const tooLong = decisions.filter((file) => lines(file).length > MAX_DECISION.lines || text(file).length > MAX_DECISION.characters);
    expect(tooLong).toEqual([]);
    expect(decisions.filter((file) => !text(file).startsWith(`# ${Number(basename(file).slice(0, 4))}. `))).toEqual([]);
  });

  it('the README names the two commands', () => {
    expect(text('README.md')).toMatch(/npm start[^]*npm test/);
  });

  it('CI can be run and runs the tests', () => {
    expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).not.toBe(0);
    expect(text('.ci/run')).toMatch(/npm test/);
  });
});

function offences(among: readonly string[], pattern: RegExp): string[] {
  return among.flatMap((file) =>
    lines(file).flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

function text(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

function lines(file: string): string[] {
  return text(file).trimEnd().split('\n');
}

function isText(file: string): boolean {
  return !['.png', '.jpg', '.gif', '.ico', '.woff', '.woff2', '.gz', '.tgz', '.db'].includes(extname(file));
}

function git(...args: string[]): string[] {
  return run('git', ...args);
}

function run(command: string, ...args: string[]): string[] {
  return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 })
    .split('\n')
    .filter((line) => line !== '');
}
