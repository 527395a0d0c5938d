/** What may be done with a schedule: start it now, hold it, change its rule, make up for what was left out. */
import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { pauseSchedule, resumeSchedule, triggerSchedule, useCommand } from '../api/commands';
import { meQuery } from '../api/queries';
import { may } from '../api/roles';
import type { ScheduleRow } from '../api/shapes';
import { Icon } from '../parts/icon';
import { Problem } from '../parts/telling';
import { Backfill } from './backfill';
import { EditRule } from './edit-rule';

type Asking = 'pause' | 'resume' | 'trigger';
const SAYS: Readonly<Record<Asking, { readonly title: string; readonly button: string; readonly means: string }>> = {
  pause: { title: 'Pause the schedule of', button: 'Pause', means: 'Times that come while it is paused are skipped, and are told as such.' },
  resume: { title: 'Resume the schedule of', button: 'Resume', means: 'The next time that it is due starts a run again; those that were skipped stay so.' },
  trigger: { title: 'Start', button: 'Start', means: 'One run begins now, with the parameters of the schedule; what is due stays due.' },
};

export function Control({ schedule: { batchName, paused } }: { readonly schedule: ScheduleRow }) {
  const me = useQuery(meQuery);
  const [asking, setAsking] = useState<Asking | 'backfill' | 'edit'>();
  const close = (): void => setAsking(undefined);
  const operator = may(me.data, 'operator');
  return (
    <span className="row wrap">
      {operator && <Button variant="default" leftSection={<Icon name="playerPlay" size={14} />} onClick={() => setAsking('trigger')}>Start now</Button>}
      {operator && <Button variant="default" leftSection={<Icon name={paused ? 'playerPlay' : 'playerPause'} size={14} />} onClick={() => setAsking(paused ? 'resume' : 'pause')}>{paused ? 'Resume' : 'Pause'}</Button>}
      {operator && <Button variant="default" leftSection={<Icon name="history" size={14} />} onClick={() => setAsking('backfill')}>Backfill</Button>}
      {may(me.data, 'author') && <Button variant="default" leftSection={<Icon name="edit" size={14} />} onClick={() => setAsking('edit')}>Edit rule</Button>}
      {asking === 'backfill' && <Backfill batch={batchName} close={close} />}
      {asking === 'edit' && <EditRule batch={batchName} close={close} />}
      {(asking === 'pause' || asking === 'resume' || asking === 'trigger') && <Ask batch={batchName} asking={asking} close={close} />}
    </span>
  );
}

function Ask({ batch, asking, close }: { readonly batch: string; readonly asking: Asking; readonly close: () => void }) {
  const navigate = useNavigate();
  const [reason, setReason] = useState('');
  const pause = useCommand(pauseSchedule, close);
  const resume = useCommand(resumeSchedule, close);
  const trigger = useCommand(triggerSchedule, ({ runId }) => void navigate({ to: '/runs/$runId', params: { runId } }));
  const command = { pause, resume, trigger }[asking];
  const { title, button, means } = SAYS[asking];
  return (
    <Modal opened onClose={close} title={`${title} ${batch}?`}>
      <form onSubmit={(event) => { event.preventDefault(); command.mutate({ batch, reason }); }}>
        <Stack gap="sm">
          <p className="small">{means}</p>
          <Textarea label="Why" autosize minRows={2} maxLength={2000} data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          {command.error !== null && <Problem error={command.error} />}
          <Group justify="flex-end"><Button variant="default" onClick={close}>Back</Button><Button type="submit" loading={command.isPending}>{button}</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}
