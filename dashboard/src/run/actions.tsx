/** What may be done with a run now: the server says what, and only that is offered. */
import { Button, Group, Modal, Radio, Select, Stack, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { cancelRun, pauseRun, resumeRun, retryRun, useCommand } from '../api/commands';
import type { RetryOn } from '../api/commands';
import { batchQuery } from '../api/queries';
import type { RunDetail } from '../api/shapes';
import { Icon } from '../parts/icon';
import { Problem } from '../parts/telling';
import { isWriting } from '../shell/shortcuts';
import { CancelStory } from './cancel-story';
import { allSteps } from './flow';

type Asking = 'cancel' | 'pause' | 'resume' | 'retry' | undefined;

export function RunActions({ run }: { readonly run: RunDetail }) {
  const [asking, setAsking] = useState<Asking>();
  const may = (action: string): boolean => run.allowedActions.some((allowed) => allowed.action === action);
  const mayCancel = may('cancel');
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.key === 'c' && !event.ctrlKey && !event.metaKey && mayCancel && !isWriting(event.target) && document.querySelector('[role="dialog"]') === null) setAsking('cancel');
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [mayCancel]);
  const close = (): void => setAsking(undefined);
  return (
    <div className="row wrap">
      {may('resume') && <Button variant="default" leftSection={<Icon name="playerPlay" size={14} />} onClick={() => setAsking('resume')}>Resume</Button>}
      {may('pause') && <Button variant="default" leftSection={<Icon name="playerPause" size={14} />} onClick={() => setAsking('pause')}>Pause</Button>}
      {may('retry') && <Button leftSection={<Icon name="rotateClockwise" size={14} />} onClick={() => setAsking('retry')}>Retry run</Button>}
      {mayCancel && <Button color="#b3261e" leftSection={<Icon name="ban" size={14} />} onClick={() => setAsking('cancel')}>Cancel run</Button>}
      <CancelDialog run={run} opened={asking === 'cancel'} close={close} />
      <PauseDialog run={run} asking={asking === 'pause' || asking === 'resume' ? asking : undefined} close={close} />
      <RetryDialog run={run} opened={asking === 'retry'} close={close} />
    </div>
  );
}

/** Asks why, and then shows what happens. */
function CancelDialog({ run, opened, close }: { readonly run: RunDetail; readonly opened: boolean; readonly close: () => void }) {
  const [reason, setReason] = useState('');
  const command = useCommand(cancelRun);
  const { reset } = command;
  useEffect(() => {
    if (opened) {
      setReason('');
      reset();
    }
  }, [opened, reset]);
  if (command.isSuccess) {
    return (
      <Modal opened={opened} onClose={close} title="Cancelling the run" size="md">
        <Stack>
          <CancelStory runId={run.id} />
          <Group justify="flex-end"><Button onClick={close} variant="default">Close</Button></Group>
        </Stack>
      </Modal>
    );
  }
  const running = run.counts.running + run.counts.dispatched + run.counts.retrying;
  return (
    <Modal opened={opened} onClose={close} title="Cancel this run?" size="md">
      <form onSubmit={(event) => { event.preventDefault(); if (reason.trim() !== '') command.mutate({ runId: run.id, reason }); }}>
        <Stack gap="sm">
          <p className="small">
            {run.counts.waiting > 0 ? `${run.counts.waiting} open ${run.counts.waiting === 1 ? 'gate is' : 'gates are'} released. ` : ''}
            {running > 0 ? `${running} ${running === 1 ? 'job is' : 'jobs are'} told to stop. ` : ''}
            Nothing else of it is begun. It can not be taken back.
          </p>
          <Textarea label="Why" description="It stands in the run's facts, with your name." required autosize minRows={2} maxLength={2000} data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          {command.error !== null && <Problem error={command.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>Keep it running</Button>
            <Button type="submit" color="#b3261e" loading={command.isPending} disabled={reason.trim() === ''}>Cancel run</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function PauseDialog({ run, asking, close }: { readonly run: RunDetail; readonly asking: 'pause' | 'resume' | undefined; readonly close: () => void }) {
  const [reason, setReason] = useState('');
  const pause = useCommand(pauseRun, close);
  const resume = useCommand(resumeRun, close);
  const command = asking === 'resume' ? resume : pause;
  const { reset } = command;
  useEffect(() => {
    setReason('');
    reset();
  }, [asking, reset]);
  return (
    <Modal opened={asking !== undefined} onClose={close} title={asking === 'resume' ? 'Resume this run?' : 'Pause this run?'} size="md">
      <form onSubmit={(event) => { event.preventDefault(); command.mutate({ runId: run.id, reason }); }}>
        <Stack gap="sm">
          <p className="small">{asking === 'resume' ? 'What was held back is begun now.' : 'What runs goes on and people may decide; nothing new is begun until somebody resumes it.'}</p>
          <Textarea label="Why" autosize minRows={2} maxLength={2000} data-autofocus value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          {command.error !== null && <Problem error={command.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>Back</Button>
            <Button type="submit" loading={command.isPending}>{asking === 'resume' ? 'Resume' : 'Pause'}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function RetryDialog({ run, opened, close }: { readonly run: RunDetail; readonly opened: boolean; readonly close: () => void }) {
  const navigate = useNavigate();
  const [fromStep, setFromStep] = useState<string | null>(null);
  const [version, setVersion] = useState<RetryOn>('original');
  const [reason, setReason] = useState('');
  const command = useCommand(retryRun, ({ runId }) => {
    close();
    void navigate({ to: '/runs/$runId', params: { runId } });
  });
  const { reset } = command;
  useEffect(() => {
    if (!opened) return;
    setReason('');
    setVersion('original');
    setFromStep(null);
    reset();
  }, [opened, reset]);
  const batch = useQuery({ ...batchQuery(run.batchId), enabled: opened, staleTime: 0 });
  const newest = batch.data?.data.version;
  const steps = allSteps(run.steps).filter(({ kind }) => kind === undefined).map(({ id }) => id);
  return (
    <Modal opened={opened} onClose={close} title="Retry this run?" size="md">
      <form onSubmit={(event) => { event.preventDefault(); command.mutate({ runId: run.id, fromStep: fromStep ?? undefined, version, reason }); }}>
        <Stack gap="sm">
          <p className="small">A new run begins that keeps what succeeded before the step. This one stays as it is.</p>
          <Select label="From step" placeholder="The one that it ended at" data={steps} value={fromStep} onChange={setFromStep} clearable searchable />
          {newest !== undefined && newest > run.batchVersion && (
            <Radio.Group label="On which version" value={version} onChange={(chosen) => { setVersion(chosen as RetryOn); reset(); }}>
              <Stack gap={6} mt={6}>
                <Radio size="xs" value="original" label={`Version ${run.batchVersion}, as this run`} />
                <Radio size="xs" value="newest" label={`Version ${newest}, the newest: if it agrees with this one on what is behind the run`} />
              </Stack>
            </Radio.Group>
          )}
          <Textarea label="Why" autosize minRows={2} maxLength={2000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          {command.error !== null && <Problem error={command.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>Back</Button>
            <Button type="submit" loading={command.isPending}>Retry run</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
