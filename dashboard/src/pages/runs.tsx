/** Executions | Runs: one row a run, or one row an attempt. What is asked for stands in the address. */
import { SegmentedControl } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { ExecutionRows } from '../runs/execution-rows';
import { RunRows } from '../runs/run-rows';

const route = getRouteApi('/runs');

export function Runs() {
  const { view = 'runs' } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <>
      <div className="pagehead">
        <div>
          <h1>{view === 'runs' ? 'Runs' : 'Executions'}</h1>
          <p className="sub">{view === 'runs' ? 'One row for each trigger of a batch, with the status that it has' : 'One row for each attempt at a job'}</p>
        </div>
        <SegmentedControl
          size="sm" aria-label="What to list" value={view} data={[{ value: 'executions', label: 'Executions' }, { value: 'runs', label: 'Runs' }]}
          onChange={(next) => void navigate({ search: ({ batch, q }) => ({ ...(batch !== undefined && { batch }), ...(q !== undefined && { q }), ...(next === 'executions' && { view: 'executions' as const }) }) })}
        />
      </div>
      {view === 'runs' ? <RunRows /> : <ExecutionRows />}
    </>
  );
}
