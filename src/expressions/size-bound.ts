/** Bounds what several expressions make together: each of them is bounded by itself, their sum is not. */
import type { JsonValue } from '../events/json.js';
import { ExpressionError } from './scope.js';

/** Characters and elements. */
const MAX_SIZE = 1024 * 1024;

export class SizeBound {
  private left = MAX_SIZE;

  /** @throws ExpressionError once all that was let through is too much together */
  through<V extends JsonValue>(value: V): V {
    this.spend(value);
    return value;
  }

  private spend(value: JsonValue): void {
    this.left -= typeof value === 'string' ? value.length + 1 : 1;
    if (this.left < 0) throw new ExpressionError('The expressions make more than 1 MiB together.');
    if (value === null || typeof value !== 'object') return;
    for (const [key, item] of Object.entries(value)) {
      this.left -= key.length;
      this.spend(item);
    }
  }
}
