/**
 * Config: the environment, read once, checked as a whole.
 *
 * Owns: every `SLUICE_…` name, its default and its meaning. Does not own: reading files, opening stores.
 *
 * 1. All faults are told at once; nothing starts on half a configuration.
 * 2. Who may come in has no default beyond loopback: without a decision the server does not start.
 * 3. What is not built is refused here, in words, not later by a missing answer.
 */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { closest, distance } from 'fastest-levenshtein';
import ms from 'ms';
import { z } from 'zod';

export const NODE_ROLES = ['api', 'worker', 'scheduler', 'projector'] as const;
export type NodeRole = (typeof NODE_ROLES)[number];
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What one node was told by its environment. */
export interface Config {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Where `log.db`, `read.db` and `lock.db` are; absolute. */
  readonly dataDir: string;
  /** `sqlite:`, or an EventStoreDB connection string. It may hold a password. */
  readonly eventsUrl: string;
  readonly namespace: string | undefined;
  /** Modules with jobs and batches to load. */
  readonly jobs: readonly string[];
  readonly demo: boolean;
  readonly auth: 'dev';
  /** Jobs at once on this node. */
  readonly slots: number;
  readonly drainMs: number;
  readonly readWaitMs: number;
  /** Steps that may wait for a free slot. */
  readonly queueLimit: number;
  /** Changes that one actor may ask for in a second; 0: no limit. */
  readonly rateLimit: number;
  readonly logLevel: LogLevel;
}

/** One thing that is wrong with the environment. */
export interface ConfigFault {
  readonly name: string;
  readonly message: string;
}

/** Everything that is wrong with the environment, readable as it is. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly ConfigFault[]) {
    super(['The configuration can not be used:', ...faults.map(({ name, message }) => `  ${name}: ${message}`)].join('\n'));
    this.name = 'ConfigError';
  }
}

/** Names that the CLI reads: known, so that they are no misspellings. */
const KNOWN_ELSEWHERE = ['SLUICE_URL', 'SLUICE_TOKEN'];
/** Kubernetes injects these for a service that is called sluice. */
const INJECTED = /^SLUICE_(SERVICE_.+|PORT_\d+_(TCP|UDP|SCTP)(_.+)?)$/;
const INJECTED_PORT = /^(tcp|udp|sctp):\/\//;
const LONGEST_MS = 2 ** 31 - 1;
const MOST_SLOTS = 4_096;

/** A setting that turns its text into a value or says what is wrong with it. */
function setting<T>(fallback: string | undefined, read: (text: string | undefined, refuse: (message: string) => never) => T) {
  return z
    .string()
    .optional()
    .transform((text, ctx): T => {
      const refuse = (message: string): never => {
        throw new Refused(message);
      };
      try {
        return read(text ?? fallback, refuse);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        ctx.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    });
}

class Refused extends Error {}

const text = (fallback?: string) => setting(fallback, (value) => value);
const list = () => setting('', (value) => (value ?? '').split(',').map((part) => part.trim()).filter((part) => part !== ''));
const switched = (fallback: 'on' | 'off') =>
  setting(fallback, (value = '', refuse) => {
    if (['1', 'true', 'on'].includes(value.toLowerCase())) return true;
    if (['0', 'false', 'off'].includes(value.toLowerCase())) return false;
    return refuse(`"${value}" is no switch: use 1, 0, true, false, on or off.`);
  });
const whole = (fallback: string, min: number, max: number) =>
  setting(fallback, (value = '', refuse) => {
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : refuse(`"${value}" is no whole number from ${min} to ${max}.`);
  });
const duration = (fallback: string) =>
  setting(fallback, (value = '', refuse) => {
    const length = isDuration(value) ? Math.round(ms(value) ?? Number.NaN) : Number.NaN;
    return length >= 0 && length <= LONGEST_MS ? length : refuse(`"${value}" is no duration: write it like "250ms", "30s" or "2m", up to 24 days.`);
  });
const oneOf = <T extends string>(names: readonly T[], fallback: T) =>
  setting(fallback, (value = '', refuse) => names.find((name) => name === value) ?? refuse(`"${value}" is none of ${names.join(', ')}.`));
const store = (others: RegExp, what: string) =>
  setting<'sqlite:'>('sqlite:', (value = '', refuse) => {
    if (value === 'sqlite:') return value;
    if (others.test(value)) return refuse(`${what} is not supported yet: leave it out, or set it to "sqlite:".`);
    if (value.startsWith('sqlite:')) return refuse('"sqlite:" takes no path: set SLUICE_DATA to the folder of the data files.');
    return refuse('this is no URL of a store that is known here: use "sqlite:".');
  });

/** What would have no effect is not taken: whoever set it counts on it. */
const later = (what: string) => setting(undefined, (value, refuse) => (value === undefined ? undefined : refuse(`${what} is not supported yet: leave it out.`)));
const OIDC = ['ISSUER', 'AUDIENCE', 'JWKS_URL', 'ROLES_CLAIM', 'ROLE_MAP', 'CLIENT_ID'].map((part) => `SLUICE_OIDC_${part}`);

const ENVIRONMENT = z.object({
  ...Object.fromEntries(OIDC.map((name) => [name, later('sign-in by OIDC')])),
  SLUICE_HOST: text('127.0.0.1').transform((host) => host ?? '127.0.0.1'),
  SLUICE_PORT: whole('3000', 0, 65_535),
  SLUICE_DATA: text('./data').transform((path) => resolve(path ?? './data')),
  SLUICE_EVENTS_URL: setting('sqlite:', (value = '', refuse) => {
    if (value === 'sqlite:' || /^esdb(\+discover)?:\/\/[^/?]/.test(value)) return value;
    if (/^kurrentdb(\+discover)?:/.test(value)) return refuse('write it with "esdb:" or "esdb+discover:": KurrentDB takes the same connection strings under that name.');
    if (value.startsWith('sqlite:')) return refuse('"sqlite:" takes no path: set SLUICE_DATA to the folder of the data files.');
    return refuse('this is no URL of a log that is known here: use "sqlite:", or an EventStoreDB connection string like "esdb://127.0.0.1:2113?tls=false".');
  }),
  SLUICE_READ_URL: store(/^postgres(ql)?:/, 'PostgreSQL'),
  SLUICE_NAMESPACE: setting(undefined, (value, refuse) =>
    value === undefined || /^[a-z][a-z0-9_]{0,29}$/.test(value)
      ? value
      : refuse(`"${value}" is no namespace: a small letter, then up to 29 small letters, digits or "_".`),
  ),
  SLUICE_JOBS: list(),
  SLUICE_DEMO: switched('off'),
  SLUICE_AUTH: setting(undefined, (value, refuse) => {
    if (value === undefined || value === 'dev') return value;
    if (value === 'oidc') return refuse('"oidc" is not supported yet: use "dev" with SLUICE_HOST=127.0.0.1.');
    return refuse(`"${value}" is no way to sign in: use "dev".`);
  }),
  SLUICE_SIGNING_KEY: later('signing exports'),
  SLUICE_SLOTS: whole(String(availableParallelism() * 8), 1, MOST_SLOTS),
  SLUICE_NODE_ROLES: setting(NODE_ROLES.join(','), (value = '', refuse) => {
    const parts = value.split(',').map((part) => part.trim());
    const unknown = parts.filter((part) => !NODE_ROLES.some((role) => role === part));
    if (unknown.length > 0) return refuse(`"${unknown.join(', ')}" is none of ${NODE_ROLES.join(', ')}.`);
    return NODE_ROLES.filter((role) => parts.includes(role));
  }),
  SLUICE_DRAIN: duration('10s'),
  SLUICE_READ_WAIT: duration('2s'),
  SLUICE_QUEUE_LIMIT: whole('100000', 1, 10_000_000),
  SLUICE_RATE_LIMIT: whole('1000', 0, 1_000_000),
  SLUICE_LOG_LEVEL: oneOf(LOG_LEVELS, 'info'),
});
const NAMES = [...Object.keys(ENVIRONMENT.shape), ...KNOWN_ELSEWHERE];

/**
 * The configuration that an environment asks for. An empty value counts as none.
 *
 * @throws ConfigError with every fault
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const ours = Object.fromEntries(Object.entries(env).filter(([name, value]) => isSaid(name, value)));
  const parsed = ENVIRONMENT.safeParse(ours);
  const faults: ConfigFault[] = misspelt(Object.keys(ours));
  if (!parsed.success) faults.push(...parsed.error.issues.map(({ path, message }) => ({ name: String(path[0]), message })));
  faults.push(...contradictions(ours, parsed.data?.SLUICE_NODE_ROLES));
  if (faults.length > 0 || !parsed.success) throw new ConfigError(faults);
  const { data } = parsed;
  return {
    host: data.SLUICE_HOST,
    port: data.SLUICE_PORT,
    dataDir: data.SLUICE_DATA,
    eventsUrl: data.SLUICE_EVENTS_URL,
    namespace: data.SLUICE_NAMESPACE,
    jobs: data.SLUICE_JOBS,
    demo: data.SLUICE_DEMO,
    auth: data.SLUICE_AUTH ?? 'dev',
    slots: data.SLUICE_SLOTS,
    drainMs: data.SLUICE_DRAIN,
    readWaitMs: data.SLUICE_READ_WAIT,
    queueLimit: data.SLUICE_QUEUE_LIMIT,
    rateLimit: data.SLUICE_RATE_LIMIT,
    logLevel: data.SLUICE_LOG_LEVEL,
  };
}

/** True for a host that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return bare === 'localhost' || bare === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(bare);
}

function isSaid(name: string, value: string | undefined): boolean {
  if (!name.startsWith('SLUICE_') || value === undefined || value === '' || INJECTED.test(name)) return false;
  return !(name === 'SLUICE_PORT' && INJECTED_PORT.test(value));
}

function misspelt(names: readonly string[]): ConfigFault[] {
  return names
    .filter((name) => !NAMES.includes(name))
    .map((name) => {
      const meant = closest(name, NAMES);
      const near = distance(name, meant) <= Math.max(3, name.length / 4);
      return { name, message: near ? `there is no such name; did you mean ${meant}?` : 'there is no such name.' };
    });
}

/** What is wrong between settings that are each right. */
function contradictions(env: Readonly<Record<string, string | undefined>>, roles: readonly NodeRole[] | undefined): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const host = env.SLUICE_HOST ?? '127.0.0.1';
  if (!isLoopback(host) && (env.SLUICE_AUTH ?? 'dev') === 'dev') {
    const why = env.SLUICE_AUTH === 'dev' ? `"dev" believes whoever asks, and "${host}" is` : `there is no default when SLUICE_HOST ("${host}") is`;
    faults.push({ name: 'SLUICE_AUTH', message: `${why} reachable by others. Set SLUICE_HOST=127.0.0.1 with SLUICE_AUTH=dev.` });
  }
  if (roles !== undefined && roles.length < NODE_ROLES.length) {
    const missing = NODE_ROLES.filter((role) => !roles.includes(role)).join(', ');
    faults.push({ name: 'SLUICE_NODE_ROLES', message: `one node has all roles; add ${missing}, or leave it out.` });
  }
  return faults;
}

/** `ms` answers NaN for what it can't read; the pattern only narrows the type. */
function isDuration(value: string): value is ms.StringValue {
  return /^\d+(\.\d+)? ?[a-z]*$/i.test(value);
}
