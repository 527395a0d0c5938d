/** Follows a run to its end, and says whether that is the one that was asked for. */
import type { RunDetail } from './answers.js';
import type { Session } from './context.js';
import { Unfulfilled } from './failures.js';
import { durationText, errorText, tookText } from './rendering.js';
import { statusWord, type Terminal } from './terminal.js';
import { RunWatch } from './watch.js';

/** @throws Unfulfilled if it ends in another way */
export async function watchTo(session: Session, runId: string, wanted: string): Promise<void> {
  const ended = await new RunWatch(session, runId).untilEnded();
  session.say(endLine(session.terminal, ended));
  if (ended.status !== wanted) throw new Unfulfilled();
}

function endLine(terminal: Terminal, run: RunDetail): string {
  const took = durationText(run.durationMs) || tookText(run.startedAt, run.endedAt);
  const why = errorText(run.error);
  return `Run ${run.id} ${statusWord(terminal, run.status)}${took === '' ? '' : ` after ${took}`}${why === '' ? '.' : `: ${why}`}`;
}
