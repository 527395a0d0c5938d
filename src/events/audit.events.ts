/**
 * The facts of the audit streams: what was refused and moved nothing (one stream per incarnation of a node), and what
 * was answered when there was nothing to do (one stream per command).
 * Names are stored for ever.
 */
import { z } from 'zod';
import { Upcasting } from './upcasting.js';

const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const time = z.iso.datetime({ precision: 3 });
/** What it was about, as far as it was about one of these. */
const about = {
  runId: uuid.optional(), batchId: uuid.optional(), stepId: z.string().optional(), executionId: uuid.optional(), approvalId: uuid.optional(),
};

export const auditFactSchemas = {
  /** Somebody who is known was refused by role (403) or by state (409). `door`: method and path, if it ended there. */
  CommandRefused: z.strictObject({
    ...about, actor: z.string(), roles: z.array(z.string()), door: z.string().nullable(), command: z.string().nullable(),
    slug: z.string(), reason: z.string(),
  }),
  /** An attempt that had ended for its run reported: what it said changed nothing. */
  OutcomeFenced: z.strictObject({ ...about, node: z.string(), outcome: z.enum(['succeeded', 'failed', 'lost']), reason: z.string() }),
  /** A command that came with a key found nothing to do, and was answered from the stream as it stood then. */
  CommandAnswered: z.strictObject({ stream: z.string(), revision: z.int().min(0), position: z.string() }),
  /** So many more refusals of one actor in one minute were counted and not written. */
  RefusalsSuppressed: z.strictObject({ actor: z.string(), count: z.int().min(1), from: time, until: time }),
} as const;

export type AuditFactType = keyof typeof auditFactSchemas;
export type AuditFactData<T extends AuditFactType> = z.infer<(typeof auditFactSchemas)[T]>;
export type AuditFact = { [T in AuditFactType]: { readonly type: T; readonly data: AuditFactData<T> } }[AuditFactType];

/** Object.keys gives plain strings; the filter says what they are. */
const types = Object.keys(auditFactSchemas).filter((type): type is AuditFactType => type in auditFactSchemas);
/** A type that changes its fields is counted up in `changed` and gets an upcaster from the version before. */
export const auditUpcasting = new Upcasting<AuditFactType>({ types, changed: {}, upcasters: [] });
