/** A schema for what is handed on from fact to fact as the very same object. */
import { z } from 'zod';

/** As the schema, but an object that was found sound is frozen, all of it, and not looked at again. What is read gives what was read. */
export function checkedOnce<T extends z.ZodType>(schema: T) {
  const sound = new WeakSet<object>();
  return z.custom<z.output<T>>().check((given) => {
    if (isObject(given.value) && sound.has(given.value)) return;
    const { error } = schema.safeParse(given.value);
    if (error !== undefined) given.issues.push(...error.issues.map(({ path, message }) => ({ code: 'custom' as const, path, message, input: given.value })));
    else if (isObject(given.value)) sound.add(frozen(given.value));
  });
}

function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (isObject(inner)) frozen(inner);
  return Object.freeze(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
