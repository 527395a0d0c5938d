import { describe, expect, it } from '@jest/globals';
import { onBoth } from './house.js';

onBoth('Schedules', (house) => {
  describe('preview', () => {
    const preview = (query: string) => house().ask<{ items: readonly { due: string }[]; errors?: readonly { path: string; message: string }[] }>('GET', `/schedules/preview?${query}`);

    it('tells the next moments of a rule in its zone', async () => {
      const { status, body } = await preview('cron=30%202%20*%20*%20*&timeZone=Europe/Stockholm&count=3&from=2026-03-28T00:00:00Z');
      expect(status).toBe(200);
      expect(body).toEqual({ items: [{ due: '2026-03-28T01:30:00.000Z' }, { due: '2026-03-29T01:00:00.000Z' }, { due: '2026-03-30T00:30:00.000Z' }] });
    });

    it('begins now, in UTC, with ten', async () => {
      const { body } = await preview('cron=@hourly');
      expect(body.items).toHaveLength(10);
      expect(Date.parse(body.items[0]!.due)).toBeGreaterThan(Date.now() - 60_000);
    });

    it('tells the place of a fault', async () => {
      expect((await preview('cron=0%2025%20*%20*%20*')).body.errors).toEqual([{ path: '/cron', message: 'Field 2 of the cron rule, the hour, does not parse: "25".' }]);
      expect((await preview('cron=0%200%20*%20*%20*%20*%202027')).body.errors?.[0]?.message).toContain('this one has 7');
      expect((await preview('cron=@reboot')).body.errors?.[0]?.message).toContain('@daily');
      expect((await preview('cron=@daily&timeZone=Mars/Olympus&count=0')).body.errors?.map(({ path }) => path)).toEqual(['/timeZone', '/count']);
      expect((await preview('timeZone=UTC')).status).toBe(400);
    });
  });
});
