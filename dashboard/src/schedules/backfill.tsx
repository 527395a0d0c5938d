/** Runs for times of the past that have none: first what would begin, then how far it is. */
import { Button, Checkbox, Group, Modal, Progress, Stack, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { planBackfill, startBackfill, useCommand } from '../api/commands';
import { backfillQuery } from '../api/queries';
import { RUN_STATUSES } from '../api/shapes';
import { Icon } from '../parts/icon';
import { Chip, RUN_LOOKS } from '../parts/status';
import { Loading, Note, Problem } from '../parts/telling';
import { moment, ZONE } from '../parts/time';
import { OCCURRENCE_LOOKS } from './looks';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** As a field for local times has it. */
const local = (ms: number): string => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
const SHOWN = 6;

export function Backfill({ batch, close }: { readonly batch: string; readonly close: () => void }) {
  const [from, setFrom] = useState(() => local(Date.now() - DAY_MS));
  const [to, setTo] = useState(() => local(Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS));
  const [again, setAgain] = useState(false);
  const isRange = from !== '' && to !== '' && from < to;
  const asked = isRange ? { batch, from: new Date(from).toISOString(), to: new Date(to).toISOString(), again } : undefined;
  const plan = useQuery({ queryKey: ['schedules', batch, 'plan', asked], queryFn: () => planBackfill(asked ?? { batch, from, to, again }), enabled: asked !== undefined, retry: false });
  const command = useCommand(startBackfill);
  if (command.data !== undefined) return <Modal opened onClose={close} title={`Backfill of ${batch}`}><Going batch={batch} id={command.data.backfillId} close={close} /></Modal>;
  const total = plan.data?.total ?? 0;
  return (
    <Modal opened onClose={close} title={`Backfill ${batch}`}>
      <form onSubmit={(event) => { event.preventDefault(); if (asked !== undefined) command.mutate(asked); }}>
        <Stack gap="sm">
          <p className="small">Starts runs for times of the past, by the rule that was in force then. What became of them in the ledger stays.</p>
          <Group grow>
            <TextInput type="datetime-local" label="From" data-autofocus value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
            <TextInput type="datetime-local" label="Until" value={to} error={isRange ? null : 'After the first'} onChange={(event) => setTo(event.currentTarget.value)} />
          </Group>
          <p className="dim tiny">In {ZONE}</p>
          <Checkbox size="xs" label="Also those that were fired" checked={again} onChange={(event) => setAgain(event.currentTarget.checked)} />
          {plan.error !== null ? <Problem error={plan.error} /> : plan.data === undefined ? <Loading rows={2} /> : total === 0 ? <Note tone="idle" icon="infoCircle">Nothing in this range is to be made up for.</Note> : (
            <div className="panel" style={{ padding: '10px 14px' }} data-testid="plan">
              <strong className="num">{total.toLocaleString('en')} {total === 1 ? 'run' : 'runs'} would begin</strong>
              {plan.data.items.slice(0, SHOWN).map(({ due, outcome }) => <div key={due} className="row between small" style={{ marginTop: 4 }}><span className="num">{moment(due)}</span><Chip look={OCCURRENCE_LOOKS[outcome]} /></div>)}
              {total > SHOWN && <p className="dim tiny" style={{ marginTop: 4 }}>and {(total - SHOWN).toLocaleString('en')} more</p>}
            </div>
          )}
          {command.error !== null && <Problem error={command.error} />}
          <Group justify="flex-end"><Button variant="default" onClick={close}>Back</Button><Button type="submit" disabled={total === 0} loading={command.isPending}>Start {total > 0 ? total.toLocaleString('en') : 'no'} {total === 1 ? 'run' : 'runs'}</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Going({ batch, id, close }: { readonly batch: string; readonly id: string; readonly close: () => void }) {
  const found = useQuery(backfillQuery(batch, id));
  if (found.data === undefined) return found.error === null ? <Loading rows={3} /> : <Problem error={found.error} />;
  const { done, total, endedAt, runs } = found.data;
  return (
    <Stack gap="sm">
      <p className="row between"><strong className="num" data-testid="backfilled">{done.toLocaleString('en')} of {total.toLocaleString('en')} begun</strong><span className="dim small">{endedAt === null ? 'It goes on when this is closed' : 'All of them have their run'}</span></p>
      <Progress value={total === 0 ? 100 : (done / total) * 100} aria-label="Runs that were begun" />
      <p className="row wrap small" style={{ gap: '4px 14px' }}>
        {RUN_STATUSES.filter((status) => (runs[status] ?? 0) > 0).map((status) => <span key={status} className={`row tone-${RUN_LOOKS[status].tone}`} style={{ gap: 4 }}><Icon name={RUN_LOOKS[status].icon} size={14} />{runs[status]?.toLocaleString('en')} {RUN_LOOKS[status].label.toLowerCase()}</span>)}
      </p>
      <Group justify="space-between"><Link to="/runs" search={{ batch, trigger: ['backfill'] }} className="link small">Their runs</Link><Button variant="default" onClick={close}>Close</Button></Group>
    </Stack>
  );
}
