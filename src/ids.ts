/**
 * Ids: the one source of identity and randomness.
 *
 * Every id that a retry or another node must be able to find again is a UUIDv5 of a canonical JSON array
 * under one namespace (RFC 9562), so that doing the same thing twice gives the same name twice. The run that a command
 * with a time (a fresh one, UUIDv7; one whose key is a UUIDv7, UUIDv8) begins, its executions and its approvals have that time in front of the same hash (UUIDv8): what
 * was begun together then lies together in every index, of the log as of the rows.
 */
import { hash, randomBytes, randomUUID } from 'node:crypto';
import { SystemClock } from './clock.js';

declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

export type RunId = Branded<'RunId'>;
export type BatchId = Branded<'BatchId'>;
export type ApprovalId = Branded<'ApprovalId'>;
export type ExecutionId = Branded<'ExecutionId'>;
export type CommandId = Branded<'CommandId'>;
export type EventId = Branded<'EventId'>;
/** One life of one node: a restart is another incarnation. */
export type Incarnation = Branded<'Incarnation'>;

const NAMESPACE = Buffer.from('6ba1f0a2c2d94b3e9d0d5f7c8e4a1b36', 'hex');
/** What is hashed, the namespace in front: ids are made many times for each fact. */
const named = Buffer.concat([NAMESPACE, Buffer.alloc(4096)]);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** UUIDv5 of the parts, written as a canonical JSON array (strings and whole numbers only, so JSON.stringify is canonical). */
export function uuidOf(...parts: readonly (string | number)[]): string {
  const name = JSON.stringify(parts);
  // A character of UTF-16 is at most three bytes of UTF-8.
  const fits = name.length * 3 <= named.length - NAMESPACE.length;
  const bytes = fits ? firstOfNamed(NAMESPACE.length + named.write(name, NAMESPACE.length)) : Buffer.concat([NAMESPACE, Buffer.from(name)]);
  const hex = hash('sha1', bytes, 'hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Views are made once for each length. */
function firstOfNamed(length: number): Buffer {
  return (views[length] ??= named.subarray(0, length));
}

const views: Buffer[] = [];

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

const clock = new SystemClock();

/** UUIDv7: 48 bits of time in milliseconds, then chance (RFC 9562, 5.7). */
function timedUuid(): string {
  const time = clock.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** A UUIDv5 with the time of another id in front, as a UUIDv8, if that one has a time: one of ours, or a key that was looked at. */
function timedAs(other: string, id: string): string {
  const version = other.charAt(VERSION_AT);
  return version === '7' || version === '8' ? `${other.slice(0, VERSION_AT - 1)}-8${id.slice(VERSION_AT + 1)}` : id;
}

const VERSION_AT = 14;
/** Of a version 8 that is not ours nobody knows what it begins with. */
const TIMED_KEY = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const ids = {
  freshCommand: (): CommandId => timedUuid() as CommandId,
  freshIncarnation: (): Incarnation => randomUUID() as Incarnation,
  /** Scoped by who, where and which key, so that two callers' keys never meet. */
  keyedCommand: (actor: string, method: string, path: string, key: string): CommandId =>
    timedAs(TIMED_KEY.test(key) ? key : '', uuidOf('command', actor, method, path, key)) as CommandId,
  event: (command: CommandId, index: number): EventId => uuidOf(command, index) as EventId,
  /** Names are fixed and unique without a second stream. */
  batch: (name: string): BatchId => uuidOf('batch', name) as BatchId,
  runOf: (command: CommandId): RunId => timedAs(command, uuidOf('run', command)) as RunId,
  scheduledRun: (batch: BatchId, due: string): RunId => uuidOf('run', batch, due) as RunId,
  backfilledRun: (batch: BatchId, due: string, backfill: string): RunId => uuidOf('run', batch, due, backfill) as RunId,
  backfillOf: (command: CommandId): string => uuidOf('backfill', command),
  retryOf: (run: RunId): RunId => uuidOf(run, 'retry') as RunId,
  execution: (run: RunId, stepId: string, attempt: number): ExecutionId => timedAs(run, uuidOf('execution', run, stepId, attempt)) as ExecutionId,
  approval: (run: RunId, stepId: string, attempt: number): ApprovalId => timedAs(run, uuidOf('approval', run, stepId, attempt)) as ApprovalId,
  outcomeCommand: (execution: ExecutionId): CommandId => uuidOf(execution, 'outcome') as CommandId,
  claimCommand: (execution: ExecutionId, node: Incarnation): CommandId => uuidOf(execution, 'claim', node) as CommandId,
  timerCommand: (run: RunId, what: string, generation: number): CommandId => uuidOf(run, what, generation) as CommandId,
  /** Any other command that a reactor may say twice and must mean once. */
  derivedCommand: (...parts: readonly (string | number)[]): CommandId => uuidOf('derived', ...parts) as CommandId,
  /** The same for every attempt at the same step of the same run: what a job hands to the systems it calls. */
  stepIdempotencyKey: (run: RunId, stepId: string): string => uuidOf('step', run, stepId),
} as const;

/** Brands what came over a border as the id of a run, a batch, an approval or an execution; undefined if it is no UUID. */
export function parseId<T extends RunId | BatchId | ApprovalId | ExecutionId>(text: string): T | undefined {
  const lower = text.toLowerCase();
  return isUuid(lower) ? (lower as T) : undefined;
}

/** A batch is called by its id or its name. */
export function batchIdOf(called: string): BatchId {
  return parseId<BatchId>(called) ?? ids.batch(called);
}

/** A number in [0, 1) that is the same whenever and wherever it is asked for. */
export function fractionOf(...parts: readonly (string | number)[]): number {
  return Number.parseInt(uuidOf(...parts).slice(0, 8), 16) / 2 ** 32;
}

/** A number in [0, 1) for back-off jitter. It is drawn once and stands in the fact. */
export function randomFraction(): number {
  return randomBytes(4).readUInt32BE() / 2 ** 32;
}
