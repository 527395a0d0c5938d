/** As much of an id as tells it from those around it. Its end: what began at the same time begins alike. */
export const shortId = (id: string): string => id.slice(-8);

/**
 * A key for one command, in the order of time. Browsers have no `crypto.randomUUID` of their own where a page came neither
 * from this machine nor over HTTPS.
 */
export { v7 as freshKey } from 'uuid';
