/** Changes the rule of a schedule, with the times that it would name; saved as a new version of its batch. */
import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Refused } from '../api/client';
import { changeBatch, useCommand } from '../api/commands';
import { batchQuery, previewQuery } from '../api/queries';
import type { BatchDetail, ScheduleRule } from '../api/shapes';
import { Loading, Note, Problem } from '../parts/telling';
import { moment } from '../parts/time';

const ZONES = Intl.supportedValuesOf('timeZone');
const CATCH_UP = [{ value: 'skip', label: 'skip it' }, { value: 'latest', label: 'start the latest' }, { value: 'all', label: 'start all of them' }];
const OVERLAP = [{ value: 'allow', label: 'start beside it' }, { value: 'skip', label: 'skip it' }, { value: 'queue', label: 'wait for its end' }, { value: 'cancelPrevious', label: 'cancel the one that runs' }];

export function EditRule({ batch, close }: { readonly batch: string; readonly close: () => void }) {
  const found = useQuery({ ...batchQuery(batch), staleTime: 0, refetchOnWindowFocus: false });
  return (
    <Modal opened onClose={close} title={`The rule of ${batch}`}>
      {found.data === undefined || found.isFetchedAfterMount === false ? (found.error === null ? <Loading /> : <Problem error={found.error} />) : found.data.data.source === 'code' ? (
        <Note tone="idle" icon="infoCircle">It is defined in code: the rule is changed there.</Note>
      ) : <Rule key={batch} batch={found.data.data} etag={found.data.etag} close={close} />}
    </Modal>
  );
}

function Rule({ batch: { name, definition }, etag, close }: { readonly batch: BatchDetail; readonly etag: string; readonly close: () => void }) {
  // As it was when one began: who saves meanwhile is told apart by the tag.
  const [began] = useState({ definition, etag });
  const [rule, setRule] = useState<ScheduleRule>(definition.schedule ?? { cron: '0 0 * * *', timeZone: 'UTC' });
  const set = (change: Partial<ScheduleRule>): void => setRule((before) => ({ ...before, ...change }));
  const command = useCommand(changeBatch, close);
  const stale = command.error instanceof Refused && command.error.slug === 'version-conflict';
  const { cron, timeZone = 'UTC', catchUp = 'skip', overlap = 'allow' } = rule;
  const [asked] = useDebouncedValue({ cron: cron.trim(), timeZone }, 250);
  const preview = useQuery(previewQuery(asked.cron, asked.timeZone));
  const faults = preview.error instanceof Refused ? preview.error.errors : [];
  const faultAt = (path: string): string | null => faults.filter((fault) => fault.path === path).map(({ message }) => message).join(' ') || null;
  return (
    <form onSubmit={(event) => { event.preventDefault(); command.mutate({ batch: name, definition: { ...began.definition, schedule: { ...rule, cron: cron.trim() } }, etag: began.etag }); }}>
      <Stack gap="sm">
        <TextInput label="Cron" description="Minute, hour, day, month, weekday; or seconds before them" data-autofocus required value={cron} error={faultAt('/cron')} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} onChange={(event) => set({ cron: event.currentTarget.value })} />
        <Select label="Time zone" searchable required data={ZONES.includes(timeZone) ? ZONES : [timeZone, ...ZONES]} limit={60} value={timeZone} error={faultAt('/timeZone')} onChange={(value) => value !== null && set({ timeZone: value })} />
        <Group grow>
          <Select label="What was due while it was down" data={CATCH_UP} value={catchUp} allowDeselect={false} onChange={(value) => set({ catchUp: value as typeof catchUp })} />
          <Select label="While the one before runs" data={OVERLAP} value={overlap} allowDeselect={false} onChange={(value) => set({ overlap: value as typeof overlap })} />
        </Group>
        <section className="panel" style={{ padding: '10px 14px', minHeight: 132 }} aria-label="Next times" data-testid="preview">
          <h3>Next times</h3>
          {preview.error !== null ? <p className="dim small">{faults.length > 0 ? 'When the rule can be read, its times stand here.' : preview.error.message}</p> : preview.data === undefined ? <Loading rows={2} /> : preview.data.items.length === 0 ? <p className="dim small">It names no time.</p> : (
            <ol style={{ margin: '6px 0 0', paddingLeft: 18 }} className="small num">{preview.data.items.map(({ due }) => <li key={due}>{moment(due)}</li>)}</ol>
          )}
        </section>
        {stale ? <Note tone="bad" icon="alertTriangle">Somebody else has changed the batch meanwhile. Nothing was overwritten: close this and open it again. <Link to="/batches/$batch" params={{ batch: name }} className="link">Look at it</Link></Note> : command.error !== null && <Problem error={command.error} />}
        <Group justify="flex-end"><Button variant="default" onClick={close}>Back</Button><Button type="submit" loading={command.isPending} disabled={preview.error !== null}>Save as a new version</Button></Group>
      </Stack>
    </form>
  );
}
