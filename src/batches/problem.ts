/** One fault of what somebody sent, and its place as a JSON Pointer. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** @example pointer('/steps/0', 'show', 'a/b') === '/steps/0/show/a~1b' */
export function pointer(base: string, ...keys: readonly PropertyKey[]): string {
  return keys.reduce<string>((path, key) => `${path}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`, base);
}
