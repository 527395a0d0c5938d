import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { checkedOnce } from './checked-once.js';

function counting() {
  let looks = 0;
  const one = z.strictObject({ name: z.string(), more: z.strictObject({ list: z.array(z.int()) }) }).refine(() => (looks += 1) > 0);
  return { schema: z.strictObject({ kept: checkedOnce(z.array(one).min(1)) }), looks: () => looks };
}

describe('What is checked once', () => {
  it('is not looked at again, and stays what it was to its depth', () => {
    const { schema, looks } = counting();
    const kept = [{ name: 'a', more: { list: [1, 2] } }];
    expect(schema.parse({ kept }).kept).toBe(kept);
    expect(schema.parse({ kept }).kept).toBe(kept);
    expect(looks()).toBe(1);
    expect(() => kept.push(kept[0]!)).toThrow(TypeError);
    expect(() => kept[0]!.more.list.push(1.5)).toThrow(TypeError);
  });

  it('is looked at as often as it is another object', () => {
    const { schema, looks } = counting();
    for (let look = 0; look < 2; look += 1) schema.parse({ kept: [{ name: 'a', more: { list: [] } }] });
    expect(looks()).toBe(2);
  });

  it('says where the fault is, each time, and leaves what is at fault as it is', () => {
    const { schema } = counting();
    const kept = [{ name: 'a', more: { list: [1, 1.5] } }];
    for (let look = 0; look < 2; look += 1) expect(schema.safeParse({ kept }).error?.issues).toMatchObject([{ path: ['kept', 0, 'more', 'list', 1], message: expect.stringContaining('int') }]);
    kept[0]!.more.list.pop();
    expect(schema.parse({ kept }).kept).toBe(kept);
  });

  it.each([undefined, null, 'text', 7, []])('refuses %j as the schema does', (kept) => {
    expect(counting().schema.safeParse({ kept }).success).toBe(false);
  });
});
