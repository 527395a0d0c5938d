/** How things stand, told by a word, an icon and a colour: never by the colour alone. */
import type { ApprovalRow, ExecutionStatus, RunStatus, StepCounts, StepStatus, TriggerType } from '../api/shapes';
import { STEP_STATUSES } from '../api/shapes';
import { Icon } from './icon';
import type { IconName } from './icon';

export type Tone = 'ok' | 'bad' | 'run' | 'wait' | 'undo' | 'idle';
export interface Look {
  readonly label: string;
  readonly icon: IconName;
  readonly tone: Tone;
  /** What it means, in a sentence. */
  readonly means: string;
}

export const RUN_LOOKS: Readonly<Record<RunStatus, Look>> = {
  running: { label: 'Running', icon: 'loader', tone: 'run', means: 'Jobs are being done.' },
  parked: { label: 'Parked', icon: 'handStop', tone: 'wait', means: 'Only people are waited for.' },
  failing: { label: 'Failing', icon: 'alertTriangle', tone: 'bad', means: 'Something failed; what still runs is being stopped.' },
  compensating: { label: 'Undoing', icon: 'arrowBackUp', tone: 'undo', means: 'What succeeded is being undone.' },
  cancelling: { label: 'Cancelling', icon: 'circleMinus', tone: 'undo', means: 'Somebody cancelled it; what still runs is being stopped.' },
  completed: { label: 'Completed', icon: 'circleCheck', tone: 'ok', means: 'All of it is done.' },
  failed: { label: 'Failed', icon: 'circleX', tone: 'bad', means: 'It ended with a failure.' },
  cancelled: { label: 'Cancelled', icon: 'ban', tone: 'idle', means: 'Somebody cancelled it.' },
};
export const STEP_LOOKS: Readonly<Record<StepStatus, Look>> = {
  pending: { label: 'Pending', icon: 'circleDashed', tone: 'idle', means: 'Its turn has not come.' },
  dispatched: { label: 'Queued', icon: 'hourglass', tone: 'run', means: 'It waits for a node with a free slot.' },
  running: { label: 'Running', icon: 'loader', tone: 'run', means: 'Its job runs.' },
  retrying: { label: 'Retrying', icon: 'refresh', tone: 'run', means: 'It failed and is tried again.' },
  waiting: { label: 'Waiting', icon: 'handStop', tone: 'wait', means: 'People have to decide.' },
  succeeded: { label: 'Succeeded', icon: 'circleCheck', tone: 'ok', means: 'It is done.' },
  failed: { label: 'Failed', icon: 'circleX', tone: 'bad', means: 'It failed for good.' },
  cancelled: { label: 'Cancelled', icon: 'ban', tone: 'idle', means: 'It was stopped, or never begun because the run was cancelled.' },
  skipped: { label: 'Skipped', icon: 'playerTrackNext', tone: 'idle', means: 'It was not taken.' },
};
export const EXECUTION_LOOKS: Readonly<Record<ExecutionStatus, Look>> = {
  queued: { label: 'Queued', icon: 'hourglass', tone: 'run', means: 'It waits for a node with a free slot.' },
  running: { label: 'Running', icon: 'loader', tone: 'run', means: 'Its job runs.' },
  succeeded: { label: 'Succeeded', icon: 'circleCheck', tone: 'ok', means: 'Its job is done.' },
  failed: { label: 'Failed', icon: 'circleX', tone: 'bad', means: 'Its job failed.' },
  timedOut: { label: 'Timed out', icon: 'clock', tone: 'bad', means: 'Its job took too long.' },
  lost: { label: 'Lost', icon: 'plugConnectedX', tone: 'wait', means: 'Its node went away; it is tried again.' },
  cancelled: { label: 'Cancelled', icon: 'ban', tone: 'idle', means: 'It was told to stop, and did.' },
  orphaned: { label: 'Orphaned', icon: 'ghost2', tone: 'bad', means: 'It was told to stop and did not in time; what it reports is refused.' },
};
export const OUTCOME_LOOKS: Readonly<Record<NonNullable<ApprovalRow['outcome']>, Look>> = {
  approved: { label: 'Approved', icon: 'circleCheck', tone: 'ok', means: 'Enough people approved.' },
  autoApproved: { label: 'Approved by time', icon: 'clock', tone: 'ok', means: 'Nobody decided in time, and the gate approves then.' },
  rejected: { label: 'Rejected', icon: 'circleX', tone: 'bad', means: 'Somebody rejected it.' },
  timedOut: { label: 'Timed out', icon: 'clock', tone: 'bad', means: 'Nobody decided in time.' },
  cancelled: { label: 'Released', icon: 'ban', tone: 'idle', means: 'The run ended or its branch lost: nothing is to be decided any more.' },
};
export const TRIGGER_LABELS: Readonly<Record<TriggerType, string>> = { api: 'By hand', schedule: 'Schedule', backfill: 'Backfill', retry: 'Retry', code: 'Code' };

export function Chip({ look, extra }: { readonly look: Look; readonly extra?: string }) {
  return (
    <span className={`chip tone-${look.tone}`} title={look.means}>
      <Icon name={look.icon} size={14} spin={look.icon === 'loader'} />
      {look.label}
      {extra}
    </span>
  );
}

export const RunChip = ({ status, paused = false }: { readonly status: RunStatus; readonly paused?: boolean }) => (
  <>
    <Chip look={RUN_LOOKS[status]} />
    {paused && (
      <span className="chip tone-wait" title="Nothing new is begun until it is resumed." style={{ marginLeft: 4 }}>
        <Icon name="playerPause" size={12} />
        Paused
      </span>
    )}
  </>
);

/** The order in which a bar is filled: what is done first. */
const ORDER: readonly StepStatus[] = ['succeeded', 'failed', 'cancelled', 'skipped', 'running', 'retrying', 'dispatched', 'waiting', 'pending'];

export function countsText(counts: StepCounts): string {
  const parts = STEP_STATUSES.filter((status) => counts[status] > 0).map((status) => `${counts[status]} ${STEP_LOOKS[status].label.toLowerCase()}`);
  return `${counts.total} ${counts.total === 1 ? 'step' : 'steps'}: ${parts.join(', ') || 'none'}`;
}

export function CountsBar({ counts, tall = false }: { readonly counts: StepCounts; readonly tall?: boolean }) {
  return (
    <span className={tall ? 'bar tall' : 'bar'} role="img" aria-label={countsText(counts)} title={countsText(counts)}>
      {ORDER.filter((status) => counts[status] > 0 && status !== 'pending').map((status) => (
        <span key={status} className={`fill-${STEP_LOOKS[status].tone}`} style={{ flexGrow: counts[status], opacity: status === 'skipped' || status === 'cancelled' ? 0.6 : 1 }} />
      ))}
      {counts.pending > 0 && <span style={{ flexGrow: counts.pending }} />}
    </span>
  );
}
