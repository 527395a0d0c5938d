/**
 * Set-up: what a fresh clone, a changed lock file, another Node or changed sources need before anything can run.
 *
 * Runs before `npm start` and `npm test`. Does nothing when nothing is missing. Plain Node, no packages, because
 * there may be none yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildDashboard, DASHBOARD_STAMP, STAMP } from './build.mjs';
import { dashboardHash, fileHash, readJson, sourcesHash } from './stamps.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGES_STAMP = join(ROOT, 'node_modules', '.sluice-setup.json');
const LOCK = join(ROOT, 'package-lock.json');
const DASHBOARD = join(ROOT, 'dashboard');
const DASHBOARD_PACKAGES_STAMP = join(DASHBOARD, 'node_modules', '.sluice-setup.json');
const TURNSTILE = join(ROOT, '.setup.lock');
const RUNTIME = { abi: process.versions.modules, platform: process.platform, arch: process.arch };

class SetupFailed extends Error {}

const say = (text) => process.stderr.write(`set-up: ${text}\n`);

function main() {
  requireNode();
  if (packagesReason() === undefined && buildReason() === undefined && dashboardReason() === undefined) return;
  oneAtATime(() => {
    preparePackages(packagesReason());
    prepareBuild(buildReason());
    prepareDashboard(dashboardReason());
  });
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupFailed(`Sluice needs Node 20.19 or later, this is ${process.version}. Install a newer Node, then try again.`);
}

/** Why node_modules can't be used as it is: `{ how, why }`, or undefined when it can. */
function packagesReason() {
  if (!existsSync(join(ROOT, 'node_modules'))) return { how: 'install', why: 'there is no node_modules folder' };
  const stamp = readJson(PACKAGES_STAMP);
  if (stamp === undefined) return { how: 'look', why: 'node_modules was not made by this set-up' };
  if (stamp.platform !== RUNTIME.platform || stamp.arch !== RUNTIME.arch)
    return { how: 'install', why: `node_modules was made for ${stamp.platform} ${stamp.arch}` };
  if (stamp.lock !== fileHash(LOCK)) return { how: 'look', why: 'package-lock.json has changed' };
  if (stamp.abi !== RUNTIME.abi)
    return { how: 'rebuild', why: `it was built for another Node (ABI ${stamp.abi}, this one has ${RUNTIME.abi})` };
  return undefined;
}

function buildReason() {
  const stamp = readJson(join(ROOT, STAMP));
  if (stamp === undefined) return 'there is no finished dist folder';
  return stamp.sources === sourcesHash(ROOT) ? undefined : 'the sources have changed since the last build';
}

/** A dashboard that is built needs no packages. */
function dashboardReason() {
  const stamp = readJson(join(ROOT, DASHBOARD_STAMP));
  if (stamp === undefined) return 'there is none yet';
  return stamp.sources === dashboardHash(ROOT) ? undefined : 'its sources have changed since the last build';
}

function dashboardPackagesAreReady() {
  const stamp = readJson(DASHBOARD_PACKAGES_STAMP);
  return stamp?.lock === fileHash(join(DASHBOARD, 'package-lock.json')) && stamp.platform === RUNTIME.platform && stamp.arch === RUNTIME.arch;
}

function preparePackages(reason) {
  if (reason === undefined) return;
  const lock = fileHash(LOCK);
  // What is half done must not look finished to the next set-up.
  rmSync(PACKAGES_STAMP, { force: true });
  if (reason.how === 'install' || (reason.how === 'look' && !installedIsLocked())) {
    say(`installing packages, because ${reason.why} (about a minute; the SQLite driver may have to be compiled)`);
    npm(['ci', '--include=dev', '--no-fund', '--no-audit', '--no-update-notifier', '--loglevel=error'], 'Installing the packages failed.');
  }
  if (!driverLoads()) {
    const why = reason.how === 'rebuild' ? reason.why : 'it does not load in this Node';
    say(`rebuilding the SQLite driver, because ${why}`);
    npm(['rebuild', 'better-sqlite3', '--loglevel=error'], 'Building the SQLite driver failed.');
    if (!driverLoads())
      throw new SetupFailed('The SQLite driver still does not load. Delete node_modules, then try again.');
  }
  writeFileSync(PACKAGES_STAMP, `${JSON.stringify({ lock, ...RUNTIME })}\n`);
}

function prepareBuild(reason) {
  if (reason === undefined) return;
  say(`building, because ${reason}`);
  if (!build(ROOT)) throw new SetupFailed('The build failed. Mend what the compiler names above, then try again.');
}

function prepareDashboard(reason) {
  if (reason === undefined) return;
  say(`building the dashboard, because ${reason}`);
  if (!dashboardPackagesAreReady()) {
    rmSync(DASHBOARD_PACKAGES_STAMP, { force: true });
    npm(['ci', '--include=dev', '--no-fund', '--no-audit', '--no-update-notifier', '--loglevel=error'], 'Installing the packages of the dashboard failed.', DASHBOARD);
    const { platform, arch } = RUNTIME;
    writeFileSync(DASHBOARD_PACKAGES_STAMP, `${JSON.stringify({ lock: fileHash(join(DASHBOARD, 'package-lock.json')), platform, arch })}\n`);
  }
  if (!buildDashboard(ROOT)) throw new SetupFailed('The dashboard could not be built. Mend what is named above, then try again.');
}

/** True when a package manager has already brought node_modules in line with the lock file. */
function installedIsLocked() {
  const locked = readJson(LOCK)?.packages;
  const installed = readJson(join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (locked === undefined || installed === undefined) return false;
  const same = ([path, entry]) => locked[path]?.version === entry.version && locked[path]?.integrity === entry.integrity;
  const there = ([path, entry]) => path === '' || entry.optional || entry.devOptional || path in installed;
  return Object.entries(installed).every(same) && Object.entries(locked).every(there);
}

/** In a process of its own: a module built for another ABI can't be tried twice in one. */
function driverLoads() {
  const trial = `new (require('better-sqlite3'))(':memory:').close()`;
  return spawnSync(process.execPath, ['-e', trial], { cwd: ROOT, stdio: 'ignore' }).status === 0;
}

function npm(args, failure, cwd = ROOT) {
  const { status, error } = spawnSync(process.execPath, [npmCli(), ...args], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: npmEnvironment(),
  });
  if (status === 0) return;
  throw new SetupFailed(
    `${failure}${error ? ` (${error.message})` : ''} Look at npm's message above: without a network, try again when the ` +
      'package registry can be reached; if compiling failed, install python3, make and a C++ compiler ' +
      '(Debian: apt-get install -y python3 make g++), then try again.',
  );
}

/**
 * Install scripts must run under this very Node. If its headers lie beside it, the native build takes those and
 * needs no download.
 */
function npmEnvironment() {
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` };
  const headers = headerFolders().find((folder) => headersVersion(folder) === process.version);
  if (env.npm_config_nodedir === undefined && headers !== undefined) env.npm_config_nodedir = headers;
  return env;
}

/** An installed Node has its headers in its prefix; the npm package `node` in a package of its own. */
function headerFolders() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const platformPackage = `node-${process.platform}-${process.arch}`;
  return [prefix, join(prefix, 'node_modules', platformPackage), join(dirname(prefix), platformPackage)];
}

function headersVersion(prefix) {
  const header = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return undefined;
  const text = readFileSync(header, 'utf8');
  const part = (name) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  return `v${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`;
}

/** npm's own script: the npm that started us, else the one beside this Node, else the first on the PATH. */
function npmCli() {
  const besideNode = join(dirname(dirname(process.execPath)), 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const onPath = (process.env.PATH ?? '').split(delimiter).flatMap((folder) => [
    join(folder, 'npm'),
    join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]);
  for (const candidate of [process.env.npm_execpath, besideNode, ...onPath]) {
    if (candidate === undefined || !existsSync(candidate)) continue;
    const script = realpathSync(candidate);
    if (script.endsWith('npm-cli.js')) return script;
  }
  throw new SetupFailed('npm was not found beside Node or on the PATH. Install npm 10 or later, then try again.');
}

/** `npm start` and `npm test` may begin at the same moment: the second waits for the first. */
function oneAtATime(work) {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = false; !enter(); waited = true) {
    if (!waited) say('waiting for another set-up in this folder to end');
    Atomics.wait(pause, 0, 0, 250);
  }
  try {
    work();
  } finally {
    rmSync(TURNSTILE, { force: true });
  }
}

/** The file appears with its owner's process id already in it (a link is made whole or not at all). */
function enter() {
  const ticket = `${TURNSTILE}.${process.pid}`;
  writeFileSync(ticket, String(process.pid));
  try {
    linkSync(ticket, TURNSTILE);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const owner = Number(readJson(TURNSTILE));
    if (owner > 0 && !isAlive(owner)) rmSync(TURNSTILE, { force: true });
    return false;
  } finally {
    rmSync(ticket, { force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetupFailed)) throw error;
  say(error.message);
  process.exitCode = 1;
}
