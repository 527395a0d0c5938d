/** Starts a run by a form of the declared parameters; what the server finds wrong stands at its field. */
import { Button, Group, Modal, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Refused } from '../api/client';
import { startRun, useCommand } from '../api/commands';
import type { BatchDefinition, ParameterDeclaration } from '../api/shapes';
import { Icon } from '../parts/icon';
import { freshKey } from '../parts/ids';
import { Problem } from '../parts/telling';
import { read, written } from './parameter-form';

interface Props {
  readonly batch: string;
  readonly definition: BatchDefinition;
  readonly opened: boolean;
  readonly close: () => void;
}

export function StartRun(props: Props) {
  return (
    <Modal opened={props.opened} onClose={props.close} title={`Start ${props.definition.title ?? props.batch}`} size="lg">
      <StartForm {...props} />
    </Modal>
  );
}

function StartForm({ batch, definition: { parameters = [] }, close }: Props) {
  const navigate = useNavigate();
  const [said, setSaid] = useState(() => written(parameters));
  const [reason, setReason] = useState('');
  // The same form sent twice is one run; another try after a fault is another.
  const [key, setKey] = useState(() => freshKey());
  const [faults, setFaults] = useState<ReadonlyMap<string, string>>(new Map());
  const command = useCommand(startRun, ({ runId }) => void navigate({ to: '/runs/$runId', params: { runId } }));
  const { error } = command;
  useEffect(() => {
    if (error instanceof Refused) setKey(freshKey());
  }, [error]);
  const told = new Map(error instanceof Refused ? parameters.map(({ name }) => [name, error.errors.filter(({ path }) => path === `/parameters/${name}` || path.startsWith(`/parameters/${name}/`)).map(({ message }) => message).join(' ')]) : []);
  const elsewhere = error !== null && !(error instanceof Refused && error.errors.length > 0 && error.errors.every(({ path }) => parameters.some(({ name }) => path === `/parameters/${name}` || path.startsWith(`/parameters/${name}/`))));
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const { values, faults: found } = read(parameters, said);
        setFaults(found);
        if (found.size === 0) command.mutate({ batch, parameters: values, reason, key });
      }}
    >
      <Stack gap="sm">
        {parameters.length === 0 && <p className="dim">It takes no parameters.</p>}
        {parameters.map((parameter, at) => <Field key={parameter.name} first={at === 0} parameter={parameter} value={said[parameter.name] ?? ''} fault={faults.get(parameter.name) ?? told.get(parameter.name) ?? ''} set={(value) => setSaid((before) => ({ ...before, [parameter.name]: value }))} />)}
        <TextInput label="Reason" description="For whoever looks at the run later" value={reason} maxLength={2000} onChange={(event) => setReason(event.currentTarget.value)} />
        {elsewhere && error !== null && <Problem error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>Back</Button>
          <Button type="submit" loading={command.isPending} leftSection={<Icon name="playerPlay" size={14} />}>Start run</Button>
        </Group>
      </Stack>
    </form>
  );
}

const HINTS: Readonly<Partial<Record<ParameterDeclaration['kind'], string>>> = { integer: 'A whole number', number: 'A number', datetime: 'A time, like 2026-01-31T00:00:00Z', object: 'A JSON object', secret: 'The name of a secret, not the secret itself' };

function Field({ first, parameter: { name, kind, required = false, title, description }, value, fault, set }: { readonly first: boolean; readonly parameter: ParameterDeclaration; readonly value: string; readonly fault: string; readonly set: (value: string) => void }) {
  const parts = [description, HINTS[kind]].filter((part) => part !== undefined).join(' · ');
  const common = { label: title ?? name, ...(parts !== '' && { description: parts }), required, error: fault === '' ? null : fault, ...(first && { 'data-autofocus': true }) };
  if (kind === 'boolean') return <Select {...common} data={[{ value: 'true', label: 'yes' }, { value: 'false', label: 'no' }]} value={value === '' ? null : value} clearable={!required} onChange={(next) => set(next ?? '')} />;
  if (kind === 'object') return <Textarea {...common} autosize minRows={3} maxRows={12} value={value} styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }} onChange={(event) => set(event.currentTarget.value)} />;
  return <TextInput {...common} value={value} inputMode={kind === 'integer' ? 'numeric' : kind === 'number' ? 'decimal' : 'text'} onChange={(event) => set(event.currentTarget.value)} />;
}
