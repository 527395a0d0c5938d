/** What the pages tell the server to do. Each answer's position is remembered, so that what is read next has it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, Refused, seen, told } from './client';
import type { ApprovalRow, BackfillPlan, BackfillStarted } from './shapes';

interface Placed {
  readonly position: string;
}

/**
 * A command, after which the page shows the truth: everything that is shown is asked again, at the command's position or
 * later, before the command counts as done. A refusal that comes of another state of things refreshes as well.
 */
export function useCommand<V, T extends Placed>(say: (said: V) => Promise<T>, done?: (answer: T, said: V) => void) {
  const client = useQueryClient();
  const refresh = () => client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' });
  return useMutation<T, Error, V>({
    mutationFn: async (said) => {
      const answer = await say(said);
      seen(answer.position);
      await refresh();
      return answer;
    },
    onSuccess: done,
    onError: (error) => {
      if (error instanceof Refused && error.status === 409) void refresh();
    },
  });
}

const json = { headers: { 'content-type': 'application/json' } } as const;
const said = (text: string): string | null => (text.trim() === '' ? null : text.trim());
const reasonOf = (reason: string) => ({ reason: said(reason) });
/** Bodies and parameters that the document says nothing of. */
type Open = never;

export const startRun = ({ batch, parameters, reason, labels = {}, key }: { batch: string; parameters: Record<string, unknown>; reason: string; labels?: Record<string, string>; key: string }) =>
  told(api.POST('/batches/{batch}/runs', { params: { path: { batch } }, body: { parameters: parameters as Open, labels, ...reasonOf(reason) }, headers: { 'idempotency-key': key } }));
export const startJob = ({ name, parameters, key }: { name: string; parameters: Record<string, unknown>; key: string }) =>
  told(api.POST('/jobs/{name}/runs', { params: { path: { name } }, body: { parameters: parameters as Open }, headers: { 'idempotency-key': key } }));

interface OfRun {
  readonly runId: string;
  readonly reason: string;
}
const atRun = ({ runId, reason }: OfRun) => ({ params: { path: { runId } }, body: reasonOf(reason) });
export const cancelRun = (asked: OfRun) => told(api.POST('/runs/{runId}/cancel', atRun(asked)));
export const pauseRun = (asked: OfRun) => told(api.POST('/runs/{runId}/pause', atRun(asked)));
export const resumeRun = (asked: OfRun) => told(api.POST('/runs/{runId}/resume', atRun(asked)));
export const cancelExecution = ({ id, reason }: { id: string; reason: string }) => told(api.POST('/executions/{id}/cancel', { params: { path: { id } }, body: reasonOf(reason) }));
export type RetryOn = 'original' | 'newest';
export const retryRun = ({ fromStep, version, ...asked }: OfRun & { fromStep: string | undefined; version: RetryOn }) =>
  told(api.POST('/runs/{runId}/retry', { params: { path: { runId: asked.runId } }, body: { version, ...reasonOf(asked.reason), ...(fromStep !== undefined && { fromStep }) } }));

/** The digest says what was looked at: if that has changed, the server refuses. */
type Gate = Pick<ApprovalRow, 'id' | 'digest'>;
export const approve = ({ approval: { id, digest }, note }: { approval: Gate; note: string }) => told(api.POST('/approvals/{id}/approve', { params: { path: { id } }, body: { note: said(note), digest } }));
export const reject = ({ approval: { id, digest }, reason }: { approval: Gate; reason: string }) => told(api.POST('/approvals/{id}/reject', { params: { path: { id } }, body: { reason: reason.trim(), digest } }));

export const createBatch = (definition: unknown) => told(api.POST('/batches', { body: definition as Open, ...json }));
export const changeBatch = ({ batch, definition, etag }: { batch: string; definition: unknown; etag: string }) =>
  told(api.PUT('/batches/{batch}', { params: { path: { batch } }, body: definition as Open, headers: { ...json.headers, 'if-match': etag } }));
export const validateBatch = (definition: unknown) => told(api.POST('/batches/validate', { body: definition as Open, ...json }));
export const deleteBatch = async (batch: string): Promise<Placed> => {
  const answer = await api.DELETE('/batches/{batch}', { params: { path: { batch } } });
  await told(Promise.resolve(answer));
  return { position: answer.response.headers.get('sluice-position') ?? '' };
};

interface OfSchedule {
  readonly batch: string;
  readonly reason: string;
}
const atSchedule = ({ batch, reason }: OfSchedule) => ({ params: { path: { batch } }, body: reasonOf(reason) });
export const pauseSchedule = (asked: OfSchedule) => told(api.POST('/batches/{batch}/schedule/pause', atSchedule(asked)));
export const resumeSchedule = (asked: OfSchedule) => told(api.POST('/batches/{batch}/schedule/resume', atSchedule(asked)));
export const triggerSchedule = (asked: OfSchedule) => told(api.POST('/batches/{batch}/schedule/trigger', atSchedule(asked)));

export interface BackfillAsked {
  readonly batch: string;
  readonly from: string;
  readonly to: string;
  readonly again: boolean;
}
const atRange = ({ batch, from, to, again }: BackfillAsked, dryRun: boolean) => ({ params: { path: { batch } }, body: { from, to, again, dryRun } });
const backfill = (asked: BackfillAsked, dryRun: boolean) => told(api.POST('/batches/{batch}/schedule/backfill', atRange(asked, dryRun)));
/** What would begin: nothing does. */
export const planBackfill = (asked: BackfillAsked) => backfill(asked, true) as Promise<BackfillPlan>;
export const startBackfill = (asked: BackfillAsked) => backfill(asked, false) as Promise<BackfillStarted>;
