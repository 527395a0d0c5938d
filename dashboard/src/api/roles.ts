import type { Me } from './shapes';

/** As the doors judge it: admin is all of them, and each of the others may view. What is hidden here is refused there. */
export function may(me: Me | undefined, role: 'viewer' | 'operator' | 'author' | 'auditor' | 'admin'): boolean {
  if (me === undefined) return false;
  return me.roles.includes(role) || me.roles.includes('admin') || (role === 'viewer' && ['operator', 'author', 'auditor'].some((other) => me.roles.includes(other)));
}
