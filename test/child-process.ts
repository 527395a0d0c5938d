/**
 * Runs a TypeScript file of this repository in a real process, for tests that kill, race or trace one.
 *
 * The child speaks by lines on its standard output; `line` waits for one. No build is needed.
 * What a test leaves running is killed when the test process ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LOADER = fileURLToPath(new URL('./typescript-loader.mjs', import.meta.url));

export interface ChildOptions {
  readonly args?: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs node for us, like `['strace', '-f', '-o', file]`. */
  readonly under?: readonly string[];
  /** Another user, where this process may choose one. */
  readonly uid?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** Every whole line that it has printed so far. */
  readonly lines: readonly string[];
  /** What it has written to its standard error so far. */
  readonly errors: () => string;
  /** The first line, printed already or still to come, that matches; rejects with its errors if it ends without. */
  line(pattern: RegExp): Promise<string>;
  /** Writes a line to its standard input. */
  say(line: string): void;
  kill(signal?: NodeJS.Signals): void;
  readonly exited: Promise<Exit>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** `file` is absolute, like `fileURLToPath(new URL('./writer.child.ts', import.meta.url))`. */
export function runTypeScript(file: string, options: ChildOptions = {}): Child {
  const [command = process.execPath, ...before] = [...(options.under ?? []), process.execPath];
  const child = spawn(command, [...before, '--import', LOADER, file, ...(options.args ?? [])], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // The options of this test process (jest's) are not the child's.
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  running.add(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let errors = '';
  let ended = false;
  const wakeAll = (): void => waiting.forEach((look) => look());
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => {
    lines.push(line);
    wakeAll();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  // A child that was killed takes no more input.
  child.stdin.on('error', () => {});
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      ended = true;
      running.delete(child);
      wakeAll();
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid ?? -1,
    lines,
    errors: () => errors,
    exited,
    say: (line) => child.stdin.write(`${line}\n`),
    kill: (signal = 'SIGKILL') => child.kill(signal),
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined && !ended) return;
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`The child ended without a line like ${pattern}.\n${lines.join('\n')}\n${errors}`));
        };
        waiting.add(look);
        look();
      }),
  };
}
