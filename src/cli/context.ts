/** What a command has at hand. */
import type { Command } from 'commander';
import type { Clock } from '../clock.js';
import { SluiceClient } from './client.js';
import { connectionOf, type GlobalOptions } from './connection.js';
import { safeJson, type Terminal } from './terminal.js';

/** The world around the command line. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Starts the server in this process. */
  serve(): Promise<void>;
}

/** One command under way. */
export interface Session extends Surroundings {
  readonly client: SluiceClient;
  readonly json: boolean;
  /** Lines for people; nothing under --json. */
  say(...lines: readonly string[]): void;
  /** One document for programs; nothing without --json. */
  document(value: unknown): void;
  /** One line of many for programs; nothing without --json. */
  record(value: unknown): void;
}

/** @throws Misused */
export function openSession(surroundings: Surroundings, command: Command): Session {
  const options = command.optsWithGlobals<GlobalOptions>();
  const { terminal, clock, env } = surroundings;
  const json = options.json === true;
  return {
    ...surroundings,
    client: new SluiceClient(connectionOf(options, env), clock),
    json,
    say: (...lines) => (json ? undefined : lines.forEach((line) => terminal.out(line))),
    document: (value) => (json ? terminal.out(safeJson(value, 2)) : undefined),
    record: (value) => (json ? terminal.out(safeJson(value)) : undefined),
  };
}
