/**
 * Watch: a run from here to its end, told as it goes.
 *
 * Owns: what was told already, and how to go on when the stream breaks. Does not own: the words for an outcome.
 * Talks to: the live door, the run's detail, the clock.
 *
 * 1. Nothing is told twice: a step's standing only goes forward (attempt, then status).
 * 2. The stream is a hint to look; whether the run has ended is read from its detail.
 * 3. A server that is gone for a while, as in a restart, is waited for.
 */
import { executionRow, approvalRow, hasEnded, runDetail, runRow, type RunDetail } from './answers.js';
import { door, type LiveMessage } from './client.js';
import type { Session } from './context.js';
import { isTransient, Patience, PAUSE_MS } from './patience.js';
import { RunStory } from './run-story.js';

export class RunWatch {
  private readonly story: RunStory;
  private readonly patience: Patience;
  private lastEventId: string | undefined;
  private run: RunDetail | undefined;

  constructor(
    private readonly session: Session,
    private readonly runId: string,
  ) {
    this.story = new RunStory(session);
    this.patience = new Patience(session);
  }

  /** The run when it has ended. */
  async untilEnded(): Promise<RunDetail> {
    for (;;) {
      const isServed = await this.patience.isServed(() => this.look());
      if (this.run !== undefined && hasEnded(this.run.status)) return this.run;
      if (!isServed || !(await this.listen())) await this.session.clock.sleep(PAUSE_MS);
    }
  }

  /** Reads the run and tells what is new in it. */
  private async look(): Promise<void> {
    const { body, raw } = await this.session.client.get(door('runs', this.runId), runDetail);
    this.run = body;
    this.session.record({ event: 'run', data: raw });
    this.story.read(body);
  }

  /** Tells what the stream says until a look is due; false if the stream broke. */
  private async listen(): Promise<boolean> {
    const ended = new AbortController();
    try {
      const options = { run: this.runId, after: this.run?.position ?? undefined, lastEventId: this.lastEventId };
      for await (const message of this.session.client.live(options, ended.signal)) {
        this.lastEventId = message.event === 'reset' ? message.id : (message.id ?? this.lastEventId);
        this.session.client.sawPosition(message.id);
        // Everything is read anew, but not as fast as a server may say so.
        if (message.event === 'reset') return false;
        if (this.tell(message)) return true;
      }
      return false;
    } catch (error) {
      if (!isTransient(error)) throw error;
      return false;
    } finally {
      ended.abort();
    }
  }

  /** True if the run's detail is worth a look now. */
  private tell({ event, id, body, raw }: LiveMessage): boolean {
    if (event === 'run') {
      const row = runRow.safeParse(body);
      if (!row.success || row.data.id !== this.runId) return false;
      this.session.client.sawPosition(row.data.position ?? undefined);
      return this.story.isNews(row.data);
    }
    const execution = executionRow.safeParse(event === 'execution' ? body : undefined);
    const approval = approvalRow.safeParse(event === 'approval' ? body : undefined);
    if ((execution.data ?? approval.data)?.runId !== this.runId) return false;
    this.session.record({ event, ...(id === undefined ? {} : { id }), data: raw });
    if (execution.success) this.story.execution(execution.data);
    return approval.success && this.story.approval(approval.data);
  }
}
