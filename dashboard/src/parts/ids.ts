/** As much of an id as tells it from those around it. Its end: what began at the same time begins alike. */
export const shortId = (id: string): string => id.slice(-8);
