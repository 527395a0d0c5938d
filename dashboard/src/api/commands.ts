/** What the pages tell the server to do. Each answer's position is remembered, so that what is read next has it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api, Refused, seen, told, toldWithTag } from './client';
import type { ApprovalRow, DecisionAnswer, Fault } from './shapes';

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
const reasonOf = (reason: string) => ({ reason: reason.trim() === '' ? null : reason.trim() });

export const startRun = ({ batch, parameters, reason, labels = {}, key }: { batch: string; parameters: Record<string, unknown>; reason: string; labels?: Record<string, string>; key: string }) =>
  told<Placed & { readonly runId: string }>(
    api.POST('/batches/{batch}/runs', { params: { path: { batch } }, body: { parameters: parameters as Record<string, never>, labels, ...reasonOf(reason) }, headers: { 'idempotency-key': key } }),
  );
export const startJob = ({ name, parameters, key }: { name: string; parameters: Record<string, unknown>; key: string }) =>
  told<Placed & { readonly runId: string }>(api.POST('/jobs/{name}/runs', { params: { path: { name } }, body: { parameters: parameters as Record<string, never> }, headers: { 'idempotency-key': key } }));
export const cancelRun = ({ runId, reason }: { runId: string; reason: string }) => told<Placed & { readonly status: string }>(api.POST('/runs/{runId}/cancel', { params: { path: { runId } }, body: reasonOf(reason) }));
export const pauseRun = ({ runId, reason }: { runId: string; reason: string }) => told<Placed>(api.POST('/runs/{runId}/pause', { params: { path: { runId } }, body: reasonOf(reason) }));
export const resumeRun = ({ runId, reason }: { runId: string; reason: string }) => told<Placed>(api.POST('/runs/{runId}/resume', { params: { path: { runId } }, body: reasonOf(reason) }));
export const cancelExecution = ({ id, reason }: { id: string; reason: string }) => told<Placed>(api.POST('/executions/{id}/cancel', { params: { path: { id } }, body: reasonOf(reason) }));
export const retryRun = ({ runId, fromStep, reason }: { runId: string; fromStep: string | undefined; reason: string }) =>
  told<Placed & { readonly runId: string }>(api.POST('/runs/{runId}/retry' as '/runs/{runId}/cancel', { params: { path: { runId } }, body: { ...reasonOf(reason), ...(fromStep !== undefined && { fromStep }) } }));

/** The digest says what was looked at: if that has changed, the server refuses. */
export const approve = ({ approval: { id, digest }, note }: { approval: Pick<ApprovalRow, 'id' | 'digest'>; note: string }) =>
  told<DecisionAnswer>(api.POST('/approvals/{id}/approve', { params: { path: { id } }, body: { note: note.trim() === '' ? null : note.trim(), digest } }));
export const reject = ({ approval: { id, digest }, reason }: { approval: Pick<ApprovalRow, 'id' | 'digest'>; reason: string }) =>
  told<DecisionAnswer>(api.POST('/approvals/{id}/reject', { params: { path: { id } }, body: { reason: reason.trim(), digest } }));

export interface SavedBatch extends Placed {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly warnings: readonly Fault[];
}
type Body = never;

/** The document says nothing of these bodies: a definition has a schema of its own (definition.schema.json). */
export const createBatch = (definition: unknown) => told<SavedBatch>(api.POST('/batches', { body: definition as Body, ...json }));
export const changeBatch = ({ batch, definition, etag }: { batch: string; definition: unknown; etag: string }) =>
  toldWithTag<SavedBatch>(api.PUT('/batches/{batch}', { params: { path: { batch } }, body: definition as Body, headers: { ...json.headers, 'if-match': etag } })).then(({ data }) => data);
export const validateBatch = (definition: unknown) => told<{ readonly errors: readonly Fault[]; readonly warnings: readonly Fault[] }>(api.POST('/batches/validate', { body: definition as Body, ...json }));
export const deleteBatch = async (batch: string): Promise<Placed> => {
  const answer = await api.DELETE('/batches/{batch}', { params: { path: { batch } } });
  await told(Promise.resolve(answer));
  return { position: answer.response.headers.get('sluice-position') ?? '' };
};

type Control = '/runs/{runId}/pause';
const ofSchedule = (action: 'pause' | 'resume' | 'trigger') => `/batches/{runId}/schedule/${action}` as Control;
export const pauseSchedule = ({ batch, reason }: { batch: string; reason: string }) => told<Placed>(api.POST(ofSchedule('pause'), { params: { path: { runId: batch } }, body: reasonOf(reason) }));
export const resumeSchedule = ({ batch, reason }: { batch: string; reason: string }) => told<Placed>(api.POST(ofSchedule('resume'), { params: { path: { runId: batch } }, body: reasonOf(reason) }));
export const triggerSchedule = ({ batch, reason }: { batch: string; reason: string }) => told<Placed & { readonly runId: string }>(api.POST(ofSchedule('trigger'), { params: { path: { runId: batch } }, body: reasonOf(reason) }));
