/**
 * The walk: where a run stands, read from its tree. Not a cursor, so that branches may hold gates, groups and decisions.
 * It changes nothing.
 *
 * 1. A sequence ends with its first failure, or goes on past it, as the policy says.
 * 2. A group is decided when enough branches have succeeded, or can't any more. Branches that it does not need have
 *    lost; so has one that failed while others may still succeed. One that was skipped as a whole takes no part.
 */
import type { ContainerNode, GroupNode, PlanNode } from './plan.js';
import { isContainer, needsOf } from './plan.js';
import type { RunDraft } from './run.draft.js';
import { pendingIn } from './run.skips.js';
import { holds } from './run.values.js';

/** `failure`: the ordinal of the step whose failure decided it. `ran`: something in it succeeded, it was not skipped as a whole. */
export type End = { readonly state: 'open' } | { readonly state: 'ok'; readonly ran: boolean } | { readonly state: 'failed'; readonly failure: number };

export interface LostBranch {
  readonly node: GroupNode;
  readonly branch: number;
}

/** What a walk has found on its way. */
interface Found {
  /** Steps whose turn it is. */
  readonly ready: PlanNode[];
  readonly lost: LostBranch[];
}

const OPEN: End = { state: 'open' };
const DONE: End = { state: 'ok', ran: true };
const SKIPPED: End = { state: 'ok', ran: false };

export function walk(draft: RunDraft): Found & { readonly end: End } {
  const found: Found = { ready: [], lost: [] };
  const end = walkSequence(draft, draft.run.plan.root, found);
  return { ready: found.ready, lost: found.lost, end };
}

/** Where one step stands, with all that is in it. */
export function stands(draft: RunDraft, node: PlanNode): End {
  return walkNode(draft, node, { ready: [], lost: [] });
}

function walkSequence(draft: RunDraft, ordinals: readonly number[], found: Found): End {
  let so: End = SKIPPED;
  for (const ordinal of ordinals) {
    const end = walkNode(draft, draft.run.plan.nodes[ordinal]!, found);
    if (end.state === 'open') return end;
    if (end.state === 'failed') so = earlier(draft, so, end);
    else if (so.state === 'ok' && end.ran) so = DONE;
    if (so.state === 'failed' && !draft.run.plan.goesOnAfterFailure) return so;
  }
  return so;
}

function walkNode(draft: RunDraft, node: PlanNode, found: Found): End {
  if (isContainer(node)) return walkContainer(draft, node, found);
  const { status } = draft.step(node);
  if (status === 'pending') found.ready.push(node);
  if (status === 'succeeded') return DONE;
  if (status === 'skipped') return SKIPPED;
  return status === 'failed' || status === 'cancelled' ? { state: 'failed', failure: node.ordinal } : OPEN;
}

function walkContainer(draft: RunDraft, node: ContainerNode, found: Found): End {
  const { status, branch } = draft.step(node);
  if (status === 'skipped') return SKIPPED;
  if (status === 'failed') return { state: 'failed', failure: node.ordinal };
  if (node.kind === 'decision' && status === 'succeeded') return branch === null ? SKIPPED : walkSequence(draft, node.branches[branch]?.steps ?? [], found);
  if (node.kind === 'parallel' && hasBegun(draft, node)) return walkGroup(draft, node, found);
  found.ready.push(node);
  return OPEN;
}

/** A group that has no condition, or whose condition held when it was looked at, is no step of its own. */
function hasBegun(draft: RunDraft, node: GroupNode): boolean {
  if (node.when === undefined) return true;
  const untouched = pendingIn(draft.run, [{ from: node.ordinal + 1, to: node.end }]).length === leavesOf(draft, node);
  return !untouched || holds(draft, node.when) === true;
}

function leavesOf(draft: RunDraft, { ordinal, end }: GroupNode): number {
  return draft.run.plan.nodes.slice(ordinal + 1, end).filter((inside) => !isContainer(inside)).length;
}

function walkGroup(draft: RunDraft, node: GroupNode, found: Found): End {
  const before = found.ready.length;
  const ends = node.branches.map(({ steps }) => walkSequence(draft, steps, found));
  const end = endOf(draft, node, ends);
  // In a group that is decided nothing has its turn any more.
  if (end.state !== 'open') found.ready.length = before;
  if (node.join === 'all') return end;
  for (const [branch, { state }] of ends.entries()) if (state === 'failed' || (state === 'open' && end.state !== 'open')) found.lost.push({ node, branch });
  return end;
}

function endOf(draft: RunDraft, { join }: GroupNode, ends: readonly End[]): End {
  let [taking, ok, open] = [0, 0, 0];
  for (const end of ends) {
    if (end.state === 'ok' && !end.ran) continue;
    taking += 1;
    if (end.state === 'ok') ok += 1;
    if (end.state === 'open') open += 1;
  }
  if (taking === 0) return SKIPPED;
  const needs = needsOf(join, taking);
  if (ok >= needs) return DONE;
  const outOfReach = ok + open < needs;
  // Where every branch is needed, the policy says whether the others still go on.
  const waits = join === 'all' && draft.run.plan.goesOnAfterFailure && open > 0;
  if (!outOfReach || waits) return OPEN;
  return ends.reduce<End>((so, end) => (end.state === 'failed' ? earlier(draft, so, end) : so), SKIPPED);
}

/** Of two failures the one that came first. */
function earlier(draft: RunDraft, so: End, end: End & { readonly state: 'failed' }): End {
  if (so.state !== 'failed') return end;
  const failedAt = (ordinal: number): number => draft.step(draft.run.plan.nodes[ordinal]!).failedAt;
  return failedAt(end.failure) < failedAt(so.failure) ? end : so;
}
