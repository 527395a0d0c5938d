import type { OccurrenceRow } from '../api/shapes';
import type { Look } from '../parts/status';

export type Outcome = OccurrenceRow['outcome'];
export const OUTCOMES = ['fired', 'skipped', 'missed', 'pending'] as const satisfies readonly Outcome[];
export const OCCURRENCE_LOOKS: Readonly<Record<Outcome, Look>> = {
  fired: { label: 'Fired', icon: 'circleCheck', tone: 'ok', means: 'A run was started for it.' },
  skipped: { label: 'Skipped', icon: 'playerTrackNext', tone: 'idle', means: 'It was left out on purpose; the reason says why.' },
  missed: { label: 'Missed', icon: 'alertTriangle', tone: 'bad', means: 'Nobody was there to start it; the reason says why.' },
  pending: { label: 'Pending', icon: 'hourglass', tone: 'run', means: 'It is due and not judged yet, or waits its turn.' },
};

/** The fixed words of the ledger, as people say them. */
export const REASONS: Readonly<Record<string, string>> = {
  paused: 'the schedule was paused', overlap: 'the run before it still ran', queueFull: 'enough of them waited already', catchUp: 'the rule does not catch up on it', superseded: 'a later one took its place', ended: 'the schedule had ended',
  down: 'no server was up', window: 'too old when a server came up', limit: 'more than are caught up on',
};
