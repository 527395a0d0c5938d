/**
 * The one way to the server: typed by its OpenAPI document, with who acts, and with refusals as they are told.
 *
 * 1. Addresses begin beside the dashboard's own, so that it works under any path of any application.
 * 2. What was written is waited for: every read of one refresh asks for at least the newest position that is known.
 */
import createClient from 'openapi-fetch';
import type { paths } from './openapi';
import type { AllowedAction, AsOf, Fault } from './shapes';

/** Where the dashboard is, like `/dashboard`, and the doors beside it, like `` or `/sluice`. */
export const BASE = new URL(document.baseURI).pathname.replace(/\/$/, '');
export const DOORS = BASE.replace(/\/[^/]*$/, '');

const ACTING = 'sluice.acting';

/** Somebody to act as, under dev sign-in. */
export interface Acting {
  readonly user: string;
  readonly roles: readonly string[];
}

export function acting(): Acting | undefined {
  try {
    const said: unknown = JSON.parse(localStorage.getItem(ACTING) ?? 'null');
    if (typeof said !== 'object' || said === null || !('user' in said) || !('roles' in said)) return undefined;
    return typeof said.user === 'string' && Array.isArray(said.roles) ? { user: said.user, roles: said.roles.map(String) } : undefined;
  } catch {
    return undefined;
  }
}

/** Everything is read anew under the other name. */
export function actAs(who: Acting | undefined): void {
  if (who === undefined) localStorage.removeItem(ACTING);
  else localStorage.setItem(ACTING, JSON.stringify(who));
  location.reload();
}

export function identityHeaders(): Record<string, string> {
  const who = acting();
  return who === undefined ? {} : { 'x-dev-user': who.user, 'x-dev-roles': who.roles.join(',') };
}

/** A refusal as the server told it, or that it could not be reached. */
export class Refused extends Error {
  constructor(
    readonly slug: string,
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly errors: readonly Fault[] = [],
    readonly allowedActions: readonly AllowedAction[] | undefined = undefined,
  ) {
    super(detail);
    this.name = 'Refused';
  }
}

export const api = createClient<paths>({ baseUrl: DOORS, fetch: reachingFetch });

/** Longer than any read may wait for its position: after it a network that says nothing counts as gone. */
const PATIENCE_MS = 30_000;

async function reachingFetch(request: Request): Promise<Response> {
  for (const [name, value] of Object.entries(identityHeaders())) request.headers.set(name, value);
  request.headers.set('accept', 'application/json');
  try {
    return await fetch(new Request(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]) }));
  } catch (error) {
    if (request.signal.aborted) throw error;
    const doubt = request.method === 'GET' ? '' : ' What was asked may have been done: look before asking again.';
    throw new Refused('unreachable', 0, 'The server can not be reached', `Nothing answers at the moment. The page goes on by itself when it does.${doubt}`);
  }
}

/** As the client tells it: what the document says is in it, or a refusal. */
type Answered<D> = Promise<{ readonly data?: D; readonly error?: unknown; readonly response: Response }>;

/** What the answer says, in the shape of the document. @throws Refused */
export async function told<D>(asked: Answered<D>): Promise<D> {
  const { data, error, response } = await asked;
  if (response.ok) return data as D;
  throw refusalOf(error, response);
}

/** The same with the entity tag. */
export async function toldWithTag<D>(asked: Answered<D>): Promise<{ readonly data: D; readonly etag: string }> {
  const answer = await asked;
  return { data: await told(Promise.resolve(answer)), etag: answer.response.headers.get('etag') ?? '' };
}

function refusalOf(error: unknown, { status, statusText }: Response): Refused {
  const said = typeof error === 'object' && error !== null ? (error as Partial<Record<string, unknown>>) : {};
  const text = (key: string, otherwise: string): string => (typeof said[key] === 'string' ? said[key] : otherwise);
  return new Refused(
    text('type', '').replace('urn:sluice:', ''),
    status,
    text('title', statusText || `The server answered ${status}`),
    text('detail', 'The server gave no reason.'),
    Array.isArray(said['errors']) ? (said['errors'] as Fault[]) : [],
    Array.isArray(said['allowedActions']) ? (said['allowedActions'] as AllowedAction[]) : undefined,
  );
}

let newest = '';

/** The newest position that an answer or a live message has told. Plain string order is the order of the log. */
export function seen(position: string | undefined): void {
  if (position !== undefined && position > newest) newest = position;
}

/** For reads: not to be told what was before. */
export function fresh(): { readonly atLeast?: string } {
  return newest === '' ? {} : { atLeast: newest };
}

/**
 * Several answers that speak of the same moment: asked again, for the newest of their positions, as long as they don't.
 * Under a load at which nothing stands still, what was shown before stays for a while: it agrees with itself.
 */
export async function together<T extends readonly { readonly asOf: AsOf }[]>(ask: () => Promise<T>, before?: T, rounds = 8): Promise<T> {
  for (let round = 1; ; round += 1) {
    const answers = await ask();
    const positions = answers.map(({ asOf }) => asOf.position);
    for (const position of positions) seen(position);
    if (positions.every((position) => position === positions[0])) return answers;
    if (round === rounds) return before ?? answers;
  }
}
