/** Answers to mutations: what was accepted with its position, what was refused as a problem. */
import type { HttpAdapterHost } from '@nestjs/core';
import { Problem, PROBLEMS } from './problem.js';
import type { ProblemExtras, ProblemSlug } from './problem.js';
import type { JsonFault } from '../events/json.js';

/** A command that the machine did not take, as far as the porch looks. */
export interface Refusal {
  readonly rejected: string;
  readonly detail: string;
  readonly errors?: readonly JsonFault[];
  readonly retriedBy?: string;
}

export function isRefusal(answer: object): answer is Refusal {
  return 'rejected' in answer;
}

export function problemOf({ rejected, detail, errors, retriedBy }: Refusal, extras: ProblemExtras = {}): Problem {
  if (!isSlug(rejected)) throw new Error(`A command was refused as ${rejected}, which no door tells.`);
  const headers = rejected === 'too-many-requests' ? { 'Retry-After': RETRY_AFTER_S } : {};
  return new Problem(rejected, detail, { ...extras, headers: { ...headers, ...extras.headers }, ...(errors !== undefined && { errors }), ...(retriedBy !== undefined && { retriedBy }) });
}

/** Long enough that something of a full queue is done. */
const RETRY_AFTER_S = '5';

export interface Mutation {
  readonly position: string;
  readonly replayed: boolean;
}

/** Headers of every accepted mutation. */
export function sayMutation({ httpAdapter }: HttpAdapterHost, response: unknown, { position, replayed }: Mutation): void {
  if (position !== '') httpAdapter.setHeader(response, 'Sluice-Position', position);
  if (replayed) httpAdapter.setHeader(response, 'Idempotent-Replayed', 'true');
}

function isSlug(slug: string): slug is ProblemSlug {
  return Object.hasOwn(PROBLEMS, slug);
}
